"""Compiled programs whose run is gone, kept for the next run of the same experiment.

A notebook cell that is run again, a search over learning rates or seeds: all compile the same step.
An executable serves one run at a time, and its arrays are written anew before it serves another.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Hashable

from dnnbridge.backend.protocol import Backend, Executable
from dnnbridge.program.program import Program

MOST = 4
"""Executables that are kept."""

LARGEST = 64 * 2**20
"""Bytes of state above which one is not kept."""

_lock = threading.Lock()
_kept: OrderedDict[Hashable, Executable] = OrderedDict()


def key_of(program: Program, backend: Backend, device: str) -> Hashable:
    """Return what runs share whose compiled steps are the same.

    Experiments that differ in their learning rate or seed alone have one program. None if an
    executable of the backend serves one run only.
    """
    if not backend.info.reuses:
        return None
    settings = tuple(sorted(p for p in os.environ.items() if p[0].startswith("DNNBRIDGE_")))
    return backend.info.name, device, settings, program


def take(key: Hashable) -> Executable | None:
    """Return an executable of such an experiment that no run has, if there is one."""
    with _lock:
        return _kept.pop(key, None) if key else None


def give(key: Hashable, executable: Executable, program: Program) -> None:
    """Keep the executable of a run that is gone; the one that was kept longest makes room."""
    size = 4 * sum(array.type.size() for array in program.state.values())
    if key is None or size > LARGEST:
        return
    with _lock:
        _kept[key] = executable
        while len(_kept) > MOST:
            _kept.popitem(last=False)


def clear() -> None:
    """Forget all of them, and free their memory."""
    with _lock:
        _kept.clear()

"""Cache compiled programs whose run is gone, for the next run of the same experiment.

Running a notebook cell again, or searching over learning rates or seeds, compiles the same step.
An executable serves one run at a time; its arrays are rewritten before it serves another. One that
has failed serves no other run: a framework may not have recovered.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Hashable

from dnnbridge.backend.protocol import Backend
from dnnbridge.backend.workers import Workers
from dnnbridge.program.program import Program
from dnnbridge.training.dividing import compile_part
from dnnbridge.training.failures import Reporting

MOST = 4
"""Largest number of cached executables."""

LARGEST = 64 * 2**20
"""Largest state of a cached executable, in bytes."""

_lock = threading.Lock()
_kept: OrderedDict[Hashable, Reporting] = OrderedDict()


def key_of(
    program: Program, backend: Backend, device: str, workers: Workers | None = None
) -> Hashable:
    """Return the cache key, which is equal for runs with the same compiled steps.

    Experiments that differ only in their learning rate or seed have the same program. The key is
    None if the backend's executables serve one run only.
    """
    if not backend.info.reuses:
        return None
    settings = tuple(sorted(p for p in os.environ.items() if p[0].startswith("DNNBRIDGE_")))
    return backend.info.name, device, settings, program, workers


def executable_for(
    owner: object,
    program: Program,
    backend: Backend,
    device: str,
    workers: Workers | None = None,
) -> Reporting:
    """Return a cached or a new executable, which is cached again when its owner is gone."""
    key = key_of(program, backend, device, workers)
    made = take(key) or Reporting(
        compile_part(backend, program, device, workers)
        if workers
        else backend.compile(program, device),
        backend.info,
    )
    weakref.finalize(owner, give, key, made, program).atexit = False
    return made


def take(key: Hashable) -> Reporting | None:
    """Return and remove a cached executable with this key; None if there is none."""
    with _lock:
        return _kept.pop(key, None) if key else None


def give(key: Hashable, executable: Reporting, program: Program) -> None:
    """Cache the executable of a run that is gone; a full cache drops its oldest entry."""
    size = 4 * sum(array.type.size() for array in program.state.values())
    if key is None or size > LARGEST or executable.failed:
        return
    with _lock:
        _kept[key] = executable
        while len(_kept) > MOST:
            _kept.popitem(last=False)


def clear() -> None:
    """Drop all cached executables and free their memory."""
    with _lock:
        _kept.clear()

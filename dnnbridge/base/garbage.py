"""Context managers that keep Python's garbage collector from slowing down compilation."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_inside: list[bool] = []
"""An element for each block of `set_aside` that is entered."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Disable automatic garbage collection inside the block.

    A framework has 200,000 objects or more, and one collection over them takes 0.1 s or more.
    Compiling creates so many objects that Python would start collections.

    Example:
        >>> with uncollected():
        ...     made = [[i] for i in range(100_000)]
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def set_aside() -> Iterator[None]:
    """Exclude the objects alive now from every collection inside the block, also an explicit one.

    Old garbage stays until the next collection after the block. If the caller has frozen objects,
    garbage is collected before the block instead.

    Example:
        >>> import gc
        >>> with set_aside():
        ...     found = gc.collect()
    """
    frozen = gc.get_freeze_count()
    try:
        if not frozen:
            gc.collect(1)  # otherwise young garbage would return as old
            gc.freeze()
        elif not _inside:  # by the caller
            gc.collect()
        _inside.append(True)
        yield
    finally:
        if _inside:
            _inside.pop()
        if not frozen:
            gc.unfreeze()

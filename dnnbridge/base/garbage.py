"""Python's garbage collector, which looks through the objects of a process while one compiles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Let Python look for no garbage of itself meanwhile.

    A framework brings 200,000 objects and more, which take 0.1 s and more to look through, and
    compiling makes so many that Python does.

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
    """Let what is alive now not be looked through, even if something asks for it meanwhile.

    Old garbage stays until the next collection afterwards.

    Example:
        >>> import gc
        >>> with set_aside():
        ...     found = gc.collect()
    """
    frozen = gc.get_freeze_count()
    if not frozen:
        gc.collect(1)  # young garbage would come back as old
        gc.freeze()
    try:
        yield
    finally:
        if not frozen:
            gc.unfreeze()

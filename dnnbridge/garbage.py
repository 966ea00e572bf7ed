"""Python's garbage collector, which looks through every object of a process while one compiles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Let nothing that is alive now be looked through for garbage meanwhile.

    A framework brings 200,000 objects and more, which take 0.1 s and more to look through.
    Compiling makes so many that Python does so of itself, and MindSpore asks for it before each
    graph. What is garbage stays until the next collection afterwards.

    Example:
        >>> with uncollected():
        ...     made = [[i] for i in range(100_000)]
    """
    enabled, frozen = gc.isenabled(), gc.get_freeze_count()
    gc.disable()
    if not frozen:
        gc.freeze()
    try:
        yield
    finally:
        if not frozen:
            gc.unfreeze()
        if enabled:
            gc.enable()

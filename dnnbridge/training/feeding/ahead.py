"""Prefetch: a thread makes the next item while the caller uses the present one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")


log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds to wait for the thread when its items are not needed any more."""


def ahead(items: Iterator[T], stop: threading.Event | None = None) -> Generator[T]:
    """Yield the same items; a thread makes each one while the caller uses the previous one.

    Args:
        items: what to yield.
        stop: set when no further item is needed, so that `items` can end early.

    Example:
        >>> list(ahead(iter("abc")))
        ['a', 'b', 'c']
    """
    thread = ThreadPoolExecutor(1, thread_name_prefix="dnnbridge-ahead")
    try:
        following = thread.submit(_next, items)
        while (found := following.result()) is not None:
            following = thread.submit(_next, items)
            yield found[0]
    finally:
        if stop is None:
            thread.shutdown()
        else:
            stop.set()
            _end(thread)


def _end(thread: ThreadPoolExecutor) -> None:
    """Wait for a thread; what it reads may never come."""
    idle = thread.submit(int)
    thread.shutdown(wait=False)
    if wait([idle], PATIENCE).not_done:
        log.warning(
            "the source of batches has not returned for %g s; its thread ends when it does",
            PATIENCE,
        )


def _next(items: Iterator[T]) -> tuple[T] | None:
    for item in items:
        return (item,)
    return None

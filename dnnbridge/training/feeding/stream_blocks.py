"""`StreamBlocks`: gather batches of any sizes into blocks of steps."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.cluster import this_cluster
from dnnbridge.emit.declarations import MASK, NORMALIZER
from dnnbridge.program.objectives import WEIGHTS
from dnnbridge.training.feeding.batches import Block, examples_of, power_of_two, rows_of_block
from dnnbridge.training.feeding.buffers import Buffers

SLOW = 0.5
"""Seconds after which a block ends early, so that a slow source does not hold up the steps."""

Batch = Mapping[str, Array]


class StreamBlocks:
    """Blocks of the batches of one epoch; each batch is a step.

    A batch with fewer rows than the width is filled up with masked rows, so that few shapes are
    compiled. The width is the size of the first batch. A larger one makes it the next power of two.
    It depends on the batches so far alone, never on how they are put into blocks, and so the
    numbers do not depend on that either.

    Args:
        batches: checked arrays by the names of their feeds.
        width: the width to begin with; 0 for the size of the first batch.
        first: the number of the first batch within the epoch.
        left: how many batches are left of the epoch; None if not known.
        rows: the most steps of a block, given the width and a batch.
        buffers: memory for the feeds; the next block but one may overwrite it.
        stop: when set, nothing more is read.
    """

    def __init__(
        self,
        batches: Iterator[Batch],
        width: int,
        first: int,
        left: int | None,
        rows: Callable[[int, Batch], int],
        buffers: Buffers,
        stop: threading.Event | None = None,
    ) -> None:
        self.width, self.first, self.left = width, first, left
        self._batches, self._rows, self._buffers = batches, rows, buffers
        self._stop = stop or threading.Event()
        self._total = None if left is None else first + left
        self._held: Batch | None = None
        self._error: Exception | None = None

    def blocks(self, step: int = 0, every: int | None = None) -> Iterator[Block]:
        """Yield the blocks; one that ends with an error of the source comes before the error.

        Args:
            step: the first step, counted over the life of the run.
            every: a block ends at each multiple of this number, counted over the life of the run.
        """
        begun = self.first
        self._read()
        while self._held is not None:
            now = step + self.first - begun
            block = self._block(None if every is None else every - now % every, begun)
            self.first += block.steps
            yield block
        if self._error is not None:
            raise self._error

    def _read(self) -> None:
        """Hold the next batch, or None at the end."""
        self._held = None
        if self.left == 0 or self._stop.is_set():
            return
        try:
            self._held = next(self._batches, None)
        except Exception as error:
            self._error = error
        if self.left is not None:
            self.left -= 1

    def _block(self, most: int | None, begun: int) -> Block:
        held = self._held or {}
        if examples_of(held) > self.width:
            size = examples_of(held)
            self.width = power_of_two(size) if self.width else size
        rows = self._rows(self.width, held)
        if self._total is not None:
            rows = rows_of_block(rows, self._total)
        feeds = self._empty(rows, held)
        counts = self._filled(feeds, rows if most is None else min(rows, most))
        ends = self._held is None and self._error is None and not self._stop.is_set()
        if ends and self.first == begun and self._total is None:
            rows = rows_of_block(rows, len(counts))
            feeds = {name: array[:rows] for name, array in feeds.items()}
        real = np.full(rows, float(self.width))
        real[: len(counts)] = counts
        mask = (np.arange(self.width) < real[:, None]).astype(np.float32)
        feeds |= {MASK: mask, NORMALIZER: 1.0 / real}
        return Block(
            feeds, np.empty((0, 0)), self.first, len(counts), real[: len(counts)], last=ends
        )

    def _empty(self, rows: int, batch: Batch) -> dict[str, Array]:
        """Return arrays for the feeds; what no step reads has arbitrary values."""
        self._buffers.next()
        return {
            name: self._buffers.array(name, (rows, self.width, *array.shape[1:]), array.dtype)
            for name, array in batch.items()
        }

    def _filled(self, feeds: dict[str, Array], most: int) -> list[int]:
        """Copy batches into the feeds and return their sizes; read the next one."""
        counts: list[int] = []
        # Several workers must have calls of the same steps, so time must not decide.
        until = time.monotonic() + SLOW if this_cluster() is None else math.inf
        while self._held is not None and len(counts) < most:
            size = examples_of(self._held)
            if size > self.width or (counts and time.monotonic() > until):
                break
            for name, array in self._held.items():
                filled(array, feeds[name][len(counts)], name)
            counts.append(size)
            self._read()
        return counts


def filled(array: Array, made: Array, name: str) -> None:
    """Write rows into a longer array; copies of the last row, or weights of 0, fill it up."""
    made[: len(array)] = array
    made[len(array) :] = 0 if name.startswith(WEIGHTS) else array[-1]

"""Split an epoch into blocks of steps, and gather the feeds of each block."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dnnbridge.base.arrays import Array
from dnnbridge.emit.declarations import MASK, NORMALIZER
from dnnbridge.program.objectives import WEIGHTS
from dnnbridge.training.checking.stored import Columns, Stored, row_bytes
from dnnbridge.training.feeding.buffers import Buffers

STEPS_PER_CALL = 128
"""Largest number of steps in one compiled call, unless the caller gives another."""

BLOCK_BYTES = 16 * 2**20
"""Largest size of the examples and random numbers of one call, in bytes."""

BLOCK_FLOPS = 2 * 10**11
"""Largest number of floating-point operations of one call: about a second on two cores."""


@dataclass(frozen=True, eq=False)
class Block:
    """The stacked feeds of several steps; only the first `steps` of them run.

    Attributes:
        feeds: for every feed an array whose first axis is the step.
        index: numbers of the examples, (steps, batch); empty for a stream.
        first: number of the first step within the epoch.
        steps: number of real steps; the arrays may be longer, with arbitrary values there.
        counts: examples in each real step.
        last: whether this block ends the epoch.
    """

    feeds: dict[str, Any]
    index: Array
    first: int
    steps: int
    counts: npt.NDArray[np.float64]
    last: bool

    @property
    def batch_size(self) -> int:
        """Examples of a step, with those that fill up a short one."""
        return int(self.feeds[MASK].shape[1])


class Batches:
    """Batches of an epoch in a given order.

    A short last batch is padded with masked examples. So every step has the same shape, and
    nothing is compiled twice.

    Args:
        data: columns with one row per example, under the names of their feeds.
        order: the numbers of the examples, in training order.
        batch_size: examples per step.
        rows: steps per block.
        kept: names of arrays that are on the device already; the feeds do not hold them.
        buffers: memory for the feeds of a block; the next block may overwrite it.
        check: called with the name of a feed, its gathered rows and the numbers of the examples;
            raises if a row is invalid.
    """

    def __init__(
        self,
        data: Columns,
        order: Array,
        batch_size: int,
        rows: int,
        kept: frozenset[str] = frozenset(),
        *,
        buffers: Buffers,
        check: Callable[[str, Array, Array], None] | None = None,
    ) -> None:
        self.data = {name: array for name, array in data.items() if name not in kept}
        self.batch_size, self.buffers, self.check = batch_size, buffers, check
        self.steps = steps_of_epoch(len(order), batch_size)
        self.rows = rows_of_block(rows, self.steps)
        self.indices = np.resize(order, (self.steps, batch_size)).astype(np.int32)
        real = np.arange(self.steps * batch_size).reshape(self.steps, batch_size) < len(order)
        self.mask = real.astype(np.float32)

    def blocks(self, start: int = 0, step: int = 0, every: int | None = None) -> Generator[Block]:
        """Yield the blocks from step `start` of the epoch on.

        Args:
            start: the first step, within the epoch.
            step: the same, counted over the life of the run.
            every: a block ends at each multiple of this number, counted over the life of the run.
        """
        first = start
        while first < self.steps:
            steps = min(self.rows, self.steps - first)
            if every is not None:
                steps = min(steps, every - (step + first - start) % every)
            rows = np.minimum(np.arange(first, first + self.rows), self.steps - 1)
            index, mask = self.indices[rows], self.mask[rows]
            counts = mask.sum(axis=1, dtype=np.float64)
            feeds = self._gathered(index, mask, steps) | {MASK: mask, NORMALIZER: 1.0 / counts}
            last = first + steps == self.steps
            yield Block(feeds, index, first, steps, counts[:steps], last)
            first += steps

    def _gathered(self, index: Array, mask: Array, steps: int) -> dict[str, Array]:
        """Return rows of the examples; rows that no step reads are not written."""
        self.buffers.next()
        feeds = {}
        for name, array in self.data.items():
            shape = (*index.shape, *array.shape[1:])
            feeds[name] = made = self.buffers.array(name, shape, array.dtype)
            if isinstance(array, Stored):
                array.read_into(index[:steps], made)
            else:  # with any other mode NumPy first gathers into new memory
                np.take(array, index[:steps], 0, out=made[:steps], mode="clip")
            if self.check:
                self.check(name, made[:steps], index[:steps])
            if name.startswith(WEIGHTS):
                made[:steps] *= mask[:steps].reshape(*mask[:steps].shape, *[1] * (made.ndim - 2))
        return feeds


def examples_of(data: Columns) -> int:
    """Return the number of examples: the number of rows of each array."""
    return len(next(iter(data.values())))


def steps_of_epoch(examples: int, batch_size: int) -> int:
    """Return the number of batches, including a short last one."""
    return math.ceil(examples / batch_size)


def rows_of_block(most: int, steps: int) -> int:
    """Return the steps of a block: a power of two for a short epoch, to limit distinct sizes."""
    return min(most, power_of_two(steps))


def power_of_two(count: int) -> int:
    """Return the smallest power of two that is at least `count`.

    Example:
        >>> [power_of_two(n) for n in (1, 2, 3, 100)]
        [1, 2, 4, 128]
    """
    return 1 << max(count - 1, 0).bit_length()


def choose_steps(bytes_of_step: int, flops_of_step: int) -> int:
    """Return the number of steps per call, from the bytes and operations of one step.

    Example:
        >>> choose_steps(bytes_of_step=2**20, flops_of_step=10**9)
        16
    """
    by_bytes = BLOCK_BYTES // max(bytes_of_step, 1)
    by_flops = BLOCK_FLOPS // max(flops_of_step, 1)
    return max(1, min(STEPS_PER_CALL, by_bytes, by_flops))


def rows_bytes(data: Columns, batch: int) -> int:
    """Return the bytes of a batch of examples."""
    return batch * sum(map(row_bytes, data.values()))

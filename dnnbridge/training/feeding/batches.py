"""Cut an epoch into blocks of steps, and say what each block is fed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dnnbridge.base.arrays import Array
from dnnbridge.emit.declarations import MASK, NORMALIZER
from dnnbridge.program.objectives import WEIGHTS
from dnnbridge.training.feeding.buffers import Buffers

STEPS_PER_CALL = 128
"""Most steps in one compiled call, unless the caller says otherwise."""

BLOCK_BYTES = 16 * 2**20
"""Most bytes of examples and random numbers for one call."""

BLOCK_FLOPS = 2 * 10**11
"""Most floating-point operations of one call: about a second of two cores."""


@dataclass(frozen=True, eq=False)
class Block:
    """The feeds of several steps, stacked; the first `steps` of them are to be run.

    Attributes:
        feeds: for every feed an array whose first axis is the step.
        index: numbers of the examples, (steps, batch).
        first: number of the first step within the epoch.
        steps: number of real steps; the arrays may be longer, with anything in them.
        counts: examples in each real step.
        last: whether the epoch ends with it.
    """

    feeds: dict[str, Any]
    index: Array
    first: int
    steps: int
    counts: npt.NDArray[np.float64]
    last: bool


class Batches:
    """Batches of an epoch in a given order.

    The last batch may be short: it is filled up with examples that are masked, so that every step
    has one shape and nothing is compiled twice.

    Args:
        data: arrays with one row per example, under the names of their feeds.
        order: which example comes when.
        batch_size: examples per step.
        rows: steps per block.
        kept: names of what is on the device already: left out of the feeds.
        buffers: where the feeds of a block are written; those of the next may overwrite them.
        check: raises if rows that were gathered for a feed cannot be fed: its name, the rows and
            the numbers of the examples.
    """

    def __init__(
        self,
        data: Mapping[str, Array],
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

    def blocks(self, start: int = 0) -> Iterator[Block]:
        """Yield the blocks from step `start` of the epoch on."""
        for first in range(start, self.steps, self.rows):
            steps = min(self.rows, self.steps - first)
            rows = np.minimum(np.arange(first, first + self.rows), self.steps - 1)
            index, mask = self.indices[rows], self.mask[rows]
            counts = mask.sum(axis=1, dtype=np.float64)
            feeds = self._gathered(index, mask, steps) | {MASK: mask, NORMALIZER: 1.0 / counts}
            last = first + steps == self.steps
            yield Block(feeds, index, first, steps, counts[:steps], last)

    def _gathered(self, index: Array, mask: Array, steps: int) -> dict[str, Array]:
        """Return rows of the examples; what no step reads is left as it is."""
        self.buffers.next()
        feeds = {}
        for name, array in self.data.items():
            shape = (*index.shape, *array.shape[1:])
            feeds[name] = made = self.buffers.array(name, shape, array.dtype)
            # With another mode NumPy gathers into new memory first.
            np.take(array, index[:steps], 0, out=made[:steps], mode="clip")
            if self.check:
                self.check(name, made[:steps], index[:steps])
            if name.startswith(WEIGHTS):
                made[:steps] *= mask[:steps]
        return feeds


def examples_of(data: Mapping[str, Array]) -> int:
    """Return how many examples arrays with one row for each have."""
    return len(next(iter(data.values())))


def steps_of_epoch(examples: int, batch_size: int) -> int:
    """Return how many batches there are, the short one included."""
    return math.ceil(examples / batch_size)


def rows_of_block(most: int, steps: int) -> int:
    """Return the steps of a block: a power of two for a short epoch, so that sizes are few."""
    return min(most, power_of_two(steps))


def power_of_two(count: int) -> int:
    """Return the least power of two that is not below a number.

    Example:
        >>> [power_of_two(n) for n in (1, 2, 3, 100)]
        [1, 2, 4, 128]
    """
    return 1 << max(count - 1, 0).bit_length()


def choose_steps(bytes_of_step: int, flops_of_step: int) -> int:
    """Return how many steps a call makes, by what a step needs.

    Example:
        >>> choose_steps(bytes_of_step=2**20, flops_of_step=10**9)
        16
    """
    by_bytes = BLOCK_BYTES // max(bytes_of_step, 1)
    by_flops = BLOCK_FLOPS // max(flops_of_step, 1)
    return max(1, min(STEPS_PER_CALL, by_bytes, by_flops))


def rows_bytes(data: Mapping[str, Array], batch: int) -> int:
    """Return the bytes of a batch of examples."""
    return batch * sum(array[:1].nbytes for array in data.values())

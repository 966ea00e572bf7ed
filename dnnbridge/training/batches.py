"""Cut an epoch into blocks of steps and gather what each block is fed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dnnbridge import randomness
from dnnbridge.program import NORMALIZER, Program

Array = npt.NDArray[Any]

STEPS_PER_CALL = 64
"""Most steps in one compiled call, unless the caller says otherwise."""

BLOCK_BYTES = 64 * 2**20
"""Most bytes of examples gathered for one call."""


@dataclass(frozen=True, eq=False)
class Block:
    """The feeds of several steps, stacked; the first `steps` of them are to be run.

    Attributes:
        feeds: for every feed an array whose first axis is the step.
        steps: number of real steps; the arrays may be longer.
        counts: examples in each real step.
    """

    feeds: dict[str, Array]
    steps: int
    counts: npt.NDArray[np.float64]


class Batches:
    """Batches of an epoch in a given order.

    The last batch may be short: it is filled up with examples of weight 0, so that every step has
    one shape and nothing is compiled twice.

    Args:
        data: "x", and "y" where there are labels: arrays with one row per example.
        order: which example comes when.
        batch_size: examples per step.
        steps_per_call: most steps per block; None chooses by size.
    """

    def __init__(
        self, data: Mapping[str, Array], order: Array, batch_size: int, steps_per_call: int | None
    ) -> None:
        self.data, self.batch_size = data, batch_size
        self.steps = math.ceil(len(order) / batch_size)
        self.indices = np.resize(order, (self.steps, batch_size))
        real = np.arange(self.steps * batch_size).reshape(self.steps, batch_size) < len(order)
        self.weights = real.astype(np.float32)
        self.rows = self._rows_per_block(steps_per_call)

    def _rows_per_block(self, steps_per_call: int | None) -> int:
        """Choose a size that all blocks share, with as little left over as can be."""
        bytes_per_step = self.batch_size * sum(array[:1].nbytes for array in self.data.values())
        most = steps_per_call or max(1, min(STEPS_PER_CALL, BLOCK_BYTES // max(bytes_per_step, 1)))
        return math.ceil(self.steps / math.ceil(self.steps / most)) if self.steps else 1

    def blocks(self, start: int = 0) -> Iterator[Block]:
        """Yield the blocks from step `start` of the epoch on."""
        for first in range(start, self.steps, self.rows):
            steps = min(self.rows, self.steps - first)
            rows = np.minimum(np.arange(first, first + self.rows), self.steps - 1)
            index, weight = self.indices[rows], self.weights[rows]
            counts = weight.sum(axis=1, dtype=np.float64)
            feeds = {name: array[index] for name, array in self.data.items()}
            feeds |= {"weight": weight, NORMALIZER: 1.0 / counts}
            yield Block(feeds, steps, counts[:steps])


def step_feeds(
    program: Program, scalars: list[dict[str, float]], seed: int, first: int, batch: int
) -> dict[str, Array]:
    """Return the host scalars and random arrays of the steps from `first` on, stacked."""
    steps = range(first, first + len(scalars))
    feeds: dict[str, Array] = {
        name: np.array([row[name] for row in scalars], np.float64) for name in program.scalars
    }
    for random in program.randoms:
        shape = random.type.concrete(batch)
        draws = (randomness.generator(seed, "random", random.name, step) for step in steps)
        feeds[random.name] = np.stack([random.distribution.sample(rng, shape) for rng in draws])
    return feeds

"""Cut an epoch into blocks of steps and gather what each block is fed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dnnbridge import randomness
from dnnbridge.arrays import Array
from dnnbridge.objectives import WEIGHTS
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.program import MASK, NORMALIZER, Program
from dnnbridge.scope import RandomInput

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

    The last batch may be short: it is filled up with examples that are masked, so that every step
    has one shape and nothing is compiled twice.

    Args:
        data: arrays with one row per example, under the names of their feeds.
        order: which example comes when.
        batch_size: examples per step.
        steps_per_call: most steps per block; None chooses by size.
        random_bytes: what else is fed to a step, for that choice.
    """

    def __init__(
        self,
        data: Mapping[str, Array],
        order: Array,
        batch_size: int,
        steps_per_call: int | None = None,
        random_bytes: int = 0,
    ) -> None:
        self.data, self.order, self.batch_size = data, order, batch_size
        self.steps = math.ceil(len(order) / batch_size)
        self.indices = np.resize(order, (self.steps, batch_size))
        real = np.arange(self.steps * batch_size).reshape(self.steps, batch_size) < len(order)
        self.mask = real.astype(np.float32)
        self.rows = self._rows_per_block(steps_per_call, random_bytes)

    def _rows_per_block(self, steps_per_call: int | None, random_bytes: int) -> int:
        """Choose a size that all blocks share, with as little left over as can be."""
        data_bytes = self.batch_size * sum(array[:1].nbytes for array in self.data.values())
        bytes_per_step = data_bytes + random_bytes
        most = steps_per_call or max(1, min(STEPS_PER_CALL, BLOCK_BYTES // max(bytes_per_step, 1)))
        return math.ceil(self.steps / math.ceil(self.steps / most)) if self.steps else 1

    def blocks(self, start: int = 0) -> Iterator[Block]:
        """Yield the blocks from step `start` of the epoch on."""
        for first in range(start, self.steps, self.rows):
            steps = min(self.rows, self.steps - first)
            rows = np.minimum(np.arange(first, first + self.rows), self.steps - 1)
            index, mask = self.indices[rows], self.mask[rows]
            counts = mask.sum(axis=1, dtype=np.float64)
            feeds = {name: array[index] for name, array in self.data.items()}
            feeds |= {name: feeds[name] * mask for name in feeds if name.startswith(WEIGHTS)}
            feeds |= {MASK: mask, NORMALIZER: 1.0 / counts}
            yield Block(feeds, steps, counts[:steps])


def step_feeds(
    program: Program, optimizer: AbstractOptimizer, seed: int, steps: Sequence[int], batch: int
) -> dict[str, Array]:
    """Return the host scalars and random arrays of the given steps, stacked."""
    feeds = scalar_feeds(optimizer, steps) | schedule_feeds(program, steps)
    keys = [("random", step) for step in steps]
    return feeds | random_feeds(program.randoms, seed, keys, batch)


def scalar_feeds(optimizer: AbstractOptimizer, steps: Sequence[int]) -> dict[str, Array]:
    """Return the host scalars of an optimizer for the given steps, stacked, in float64."""
    rows = [optimizer.host_scalars(step) for step in steps]
    return {f"scalar:{name}": np.array([row[name] for row in rows]) for name in rows[0]}


def schedule_feeds(program: Program, steps: Sequence[int]) -> dict[str, Array]:
    """Return the numbers that layers have for the given steps, stacked."""
    return {
        f"schedule:{name}": np.array([schedule(step) for step in steps])
        for name, schedule in program.schedules.items()
    }


def random_feeds(
    randoms: Sequence[RandomInput],
    seed: int,
    keys: Sequence[tuple[str | int, ...]],
    batch: int,
) -> dict[str, Array]:
    """Return random arrays, stacked; a key of a purpose and numbers for each step."""
    feeds = {}
    for random in randoms:
        shape = random.type.concrete(batch)
        draws = (randomness.generator(seed, str(k[0]), random.name, *k[1:]) for k in keys)
        stacked = np.stack([random.distribution.sample(rng, shape) for rng in draws])
        feeds[f"random:{random.name}"] = stacked
    return feeds


def random_bytes(program: Program, batch: int) -> int:
    """Return the bytes of the random arrays of one step."""
    return sum(4 * random.type.size(batch) for random in program.randoms)

"""`Shuffled`: a stream whose examples are mixed in a buffer of a declared size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.base.messages import what
from dnnbridge.errors import DataError
from dnnbridge.training.checking.data import check_count, check_positive
from dnnbridge.training.feeding.batches import examples_of


class Shuffled:
    """A source of batches whose examples `fit` mixes in a buffer.

    The buffer is filled first. Then each step takes its examples from it at random, and the next
    batch fills it up. So an example moves by about `buffer` places: data that are sorted need a
    buffer of their own size. Each pass draws anew from the seed, and has each example once. Every
    step has as many examples as the first batch of the source, and the last has what is left.

    Args:
        source: a stream of batches, see `fit`.
        buffer: how many examples are kept in memory, besides a batch.
        seed: of the draws; None takes the seed of the experiment.

    Raises:
        DataError: `buffer` or `seed` is not such a number.

    Example:
        >>> import dnnbridge as db
        >>> batches = [(np.full((2, 1), k), np.full((2, 1), k)) for k in (0.0, 0.5, 1.0)]
        >>> model = db.Sequential([db.Input((1,)), db.Dense(1)])
        >>> run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
        >>> history = run.fit(db.Shuffled(batches, buffer=4), verbose=0)
        >>> len(history.step_losses)
        3
    """

    @explained()
    def __init__(self, source: Any, buffer: int, seed: int | None = None) -> None:
        if isinstance(source, Shuffled):
            raise DataError("is shuffled already", where="Shuffled: source", got=what(source))
        self.source = source
        self.buffer = check_positive(buffer, "Shuffled: buffer")
        self.seed = None if seed is None else check_count(seed, "Shuffled: seed")


def mixed(
    batches: Iterable[Mapping[str, Array]], buffer: int, rng: np.random.Generator
) -> Iterator[dict[str, Array]]:
    """Yield all rows of some batches in a random order.

    Args:
        batches: arrays by name.
        buffer: rows to choose from, besides a batch.
        rng: draws the order.

    Example:
        >>> rows = ({"x": np.arange(3 * k, 3 * k + 3)} for k in range(3))
        >>> made = [batch["x"].tolist() for batch in mixed(rows, 2, np.random.default_rng(0))]
        >>> [len(each) for each in made], sorted(sum(made, []))
        ([3, 3, 3], [0, 1, 2, 3, 4, 5, 6, 7, 8])
    """
    pool, size = _Pool(), 0
    for batch in batches:
        size = size or examples_of(batch)
        pool.add(batch)
        while pool.count >= buffer + size:
            yield pool.draw(size, rng)
    while pool.count:
        yield pool.draw(min(size, pool.count), rng)


class _Pool:
    """Rows of arrays, of which some are taken out at random."""

    def __init__(self) -> None:
        self.count = 0
        self._arrays: dict[str, Array] = {}

    def add(self, batch: Mapping[str, Array]) -> None:
        """Copy the rows of a batch."""
        after = self.count + examples_of(batch)
        for name, array in batch.items():
            have = self._arrays.get(name, array[:0])
            if len(have) < after:
                room = np.empty((2 * after, *array.shape[1:]), array.dtype)
                room[: self.count] = have[: self.count]
                self._arrays[name] = have = room
            have[self.count : after] = array
        self.count = after

    def draw(self, size: int, rng: np.random.Generator) -> dict[str, Array]:
        """Take out some rows; the last rows fill their places."""
        drawn = rng.choice(self.count, size, replace=False)
        self.count -= size
        free = drawn[drawn < self.count]
        moving = np.setdiff1d(np.arange(self.count, self.count + size), drawn)
        made = {}
        for name, array in self._arrays.items():
            made[name] = array[drawn]
            array[free] = array[moving]
        return made

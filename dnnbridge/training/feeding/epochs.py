"""`Epochs`: which examples an epoch has, and in which order."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dnnbridge.base import randomness
from dnnbridge.base.arrays import Array
from dnnbridge.training.feeding.batches import steps_of_epoch


@dataclass(frozen=True)
class Epochs:
    """Which examples an epoch has, and in which order.

    An epoch is one pass over all examples or, as in Keras, the next `steps_per_epoch` batches of a
    pass; the last epoch of a pass has what is left.

    Attributes:
        count: the number of examples.
        batch_size: examples per step.
        seed: seed of the orders.
        shuffle: whether each pass has its own order.
        steps_per_epoch: batches of an epoch; None for all.

    Example:
        >>> epochs = Epochs(10, 4, seed=0, shuffle=False, steps_per_epoch=2)
        >>> [epochs.order(epoch).tolist() for epoch in range(3)]
        [[0, 1, 2, 3, 4, 5, 6, 7], [8, 9], [0, 1, 2, 3, 4, 5, 6, 7]]
        >>> epochs.steps(0), epochs.steps(1)
        (2, 1)
    """

    count: int
    batch_size: int
    seed: int
    shuffle: bool
    steps_per_epoch: int | None = None

    def order(self, epoch: int) -> Array:
        """Return the numbers of the examples of an epoch, in training order."""
        part, within = divmod(epoch, self._parts)
        order = (
            randomness.permutation(self.seed, part, self.count)
            if self.shuffle
            else np.arange(self.count)
        )
        return order[within * self._most : (within + 1) * self._most]

    def examples(self, epoch: int) -> int:
        """Return how many examples an epoch has."""
        return min(self._most, self.count - epoch % self._parts * self._most)

    def steps(self, epoch: int) -> int:
        """Return how many batches an epoch has."""
        return steps_of_epoch(self.examples(epoch), self.batch_size)

    @property
    def _most(self) -> int:
        """The largest number of examples of an epoch."""
        given = self.steps_per_epoch
        return self.count if given is None else min(self.count, given * self.batch_size)

    @property
    def _parts(self) -> int:
        """The number of epochs in a pass."""
        return math.ceil(self.count / self._most)

"""What a case of a training is, and the data of most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from dnnbridge.base import randomness
from dnnbridge.base.arrays import Array
from dnnbridge.experiment import Experiment
from dnnbridge.testing.tolerances import ONE_STEP

Arrays = Array | dict[str, Array]


@dataclass(frozen=True, eq=False)
class TrainingCase:
    """An experiment, its data, and how long to train. 107 examples leave a short last batch.

    Attributes:
        one_step: relative L2 distance allowed for the gradients of a step that starts from the
            state of the reference.
        steps_per_call: steps per call of a training that runs freely. With 1, every step is
            compared.
    """

    id: str
    experiment: Experiment
    x: Arrays
    y: Arrays
    batch_size: int = 20
    epochs: int = 8
    sample_weight: Array | None = None
    class_weight: dict[int, float] | None = None
    one_step: float = ONE_STEP
    steps_per_call: int | Literal["auto"] = 1

    @property
    def weighted(self) -> dict[str, Any]:
        """The arguments of `fit` for weights of examples and classes."""
        return {"sample_weight": self.sample_weight, "class_weight": self.class_weight}

    @property
    def count(self) -> int:
        """Number of examples."""
        return len(next(iter(self.x.values())) if isinstance(self.x, dict) else self.x)

    def validation(self, count: int) -> tuple[Any, ...]:
        """Return the first examples, their labels and weights."""
        weights = self.sample_weight
        first = None if weights is None else weights[:count]
        return _first(self.x, count), _first(self.y, count), first


def _first(arrays: Arrays, count: int) -> Arrays:
    if isinstance(arrays, dict):
        return {name: array[:count] for name, array in arrays.items()}
    return arrays[:count]


def examples() -> Array:
    return randomness.generator(0, "training x").normal(size=(107, 4, 5))


def classes() -> Array:
    weights = randomness.generator(0, "training y").normal(size=(20, 3))
    return np.asarray((examples().reshape(107, 20) @ weights).argmax(1))


def images(count: int = 50, size: int = 10) -> Array:
    return randomness.generator(0, "training images").normal(size=(count, size, size, 2))


def sums(x: Array) -> Array:
    """Return one of three classes for every example."""
    weights = randomness.generator(0, "training sums").normal(size=(x[0].size, 3))
    return np.asarray((x.reshape(len(x), -1) @ weights).argmax(1))

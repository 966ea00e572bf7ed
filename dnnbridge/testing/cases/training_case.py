"""What a case of a training is, and the data of most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnbridge import randomness
from dnnbridge.arrays import Array
from dnnbridge.experiment import Experiment


@dataclass(frozen=True, eq=False)
class TrainingCase:
    """An experiment, its data, and how long to train. 107 examples leave a short last batch."""

    id: str
    experiment: Experiment
    x: Array
    y: Array | dict[str, Array]
    batch_size: int = 20
    epochs: int = 8
    sample_weight: Array | None = None

    def validation(self, count: int) -> tuple[Any, ...]:
        """Return the first examples, their labels and weights."""
        y = self.y
        labels = {k: v[:count] for k, v in y.items()} if isinstance(y, dict) else y[:count]
        weights = self.sample_weight
        return self.x[:count], labels, None if weights is None else weights[:count]


def examples() -> Array:
    return randomness.generator(0, "training x").normal(size=(107, 4, 5))


def classes() -> Array:
    weights = randomness.generator(0, "training y").normal(size=(20, 3))
    return np.asarray((examples().reshape(107, 20) @ weights).argmax(1))

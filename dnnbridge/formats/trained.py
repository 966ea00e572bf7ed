"""`Trained`: what the writers of all formats are given of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from dnnbridge.base.arrays import Array
from dnnbridge.experiment import Experiment
from dnnbridge.optimizers import AbstractOptimizer


class Trained(NamedTuple):
    """What a run is at some step.

    Attributes:
        experiment: its spec.
        optimizer: its present optimizer.
        state: all its arrays, by name.
        step: how many updates it has made.
        epoch: how many epochs it has finished.
        batch: how many updates of the current epoch it has made.
        examples: of the current epoch.
        batch_size: of the current epoch.
        predict: returns the predictions of inputs, both by name, to check what was written.
    """

    experiment: Experiment
    optimizer: AbstractOptimizer
    state: Mapping[str, Array]
    step: int
    epoch: int = 0
    batch: int = 0
    examples: int = 0
    batch_size: int = 0
    predict: Callable[[Mapping[str, Array]], Mapping[str, Array]] | None = None

"""Differences between trainings of one experiment, and the step where they stop agreeing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.experiment import Experiment
from dnnbridge.report.recording import Recording

PARTED = 1e-4
"""Two trainings disagree from the first step whose losses differ relatively by more than this."""

LOSS_FLOOR = 0.01
"""Smallest divisor of a relative difference, as a share of the largest loss."""


@dataclass(frozen=True)
class EpochDifference:
    """Differences between two trainings after an epoch.

    Attributes:
        parameters: largest ‖a - b‖ / ‖b‖ over the arrays of weights.
        parameter: name of that array.
        absolute: largest |a - b| of a single weight.
        step_loss: largest relative difference of the step losses so far.
        epoch_loss: relative difference of the loss of the epoch.
    """

    parameters: float
    parameter: str
    absolute: float
    step_loss: float
    epoch_loss: float


@dataclass(frozen=True)
class Parting:
    """The first step whose losses differ by more than `PARTED`.

    Attributes:
        step: counted from 1.
        epoch: counted from 1.
        losses: losses of the first and the second training at that step.
        difference: relative difference of these losses.
        before: largest relative difference at an earlier step.
    """

    step: int
    epoch: int
    losses: tuple[float, float]
    difference: float
    before: float


@dataclass(frozen=True)
class Pair:
    """Two trainings a and b; differences are relative to b, which was named second.

    Attributes:
        first: backend of a.
        second: backend of b.
        start: largest |a - b| of a weight before training.
        epochs: differences after every epoch.
        step_losses: relative difference of the loss of every step.
        parting: where they stop agreeing; None if they never do.
    """

    first: str
    second: str
    start: float
    epochs: tuple[EpochDifference, ...]
    step_losses: tuple[float, ...]
    parting: Parting | None

    @property
    def name(self) -> str:
        return f"{self.first} – {self.second}"


@dataclass(frozen=True)
class Comparison:
    """Trainings of one experiment on several backends, and the differences of every pair.

    Attributes:
        experiment: the experiment.
        settings: settings of the training as text: data, batch size.
        recordings: one training for each backend.
        pairs: all pairs of trainings.
    """

    experiment: Experiment
    settings: dict[str, str]
    recordings: tuple[Recording, ...]
    pairs: tuple[Pair, ...]


def compare(
    experiment: Experiment, settings: dict[str, str], recordings: Sequence[Recording]
) -> Comparison:
    """Compare every pair of trainings; they must have run the same steps."""
    pairs = tuple(_pair(a, b) for a, b in combinations(recordings, 2))
    return Comparison(experiment, settings, tuple(recordings), pairs)


def relative_losses(a: Sequence[float], b: Sequence[float]) -> Array:
    """Return |a - b| / |b| for losses; the divisor is at least 1 % of the largest |b|.

    With a smaller divisor, float32 rounding alone gives large ratios. If only one of two losses is
    finite, the difference is infinite. If neither is finite, it is 0.

    Example:
        >>> relative_losses([2.0, 0.5], [2.0, 0.4]).round(6).tolist()
        [0.0, 0.25]
    """
    left, right = np.asarray(a, np.float64), np.asarray(b, np.float64)
    finite = np.isfinite(left), np.isfinite(right)
    largest = np.abs(right[finite[1]]).max(initial=0.0)
    divisor = np.maximum(np.abs(right), LOSS_FLOOR * largest)
    with np.errstate(all="ignore"):
        ratio = np.where(left == right, 0.0, np.abs(left - right) / divisor)
    return np.where(finite[0] & finite[1], ratio, np.where(finite[0] == finite[1], 0.0, np.inf))


def kinks(experiment: Experiment) -> list[str]:
    """Return the names of the model's operations that have a jump or a kink.

    Example:
        >>> import dnnbridge as db
        >>> model = db.Sequential([db.Input((2,)), db.Dense(3, activation="relu"), db.Dense(1)])
        >>> kinks(db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1)))
        ['Relu']
    """
    nodes = experiment.program().functions["predict"].graph.walk()
    return sorted({type(node.op).__name__ for node in nodes if node.op.kinked})


def _pair(a: Recording, b: Recording) -> Pair:
    steps = relative_losses(a.step_losses, b.step_losses)
    epoch_losses = relative_losses(_losses(a), _losses(b))
    epochs = []
    for epoch, epoch_loss in enumerate(epoch_losses, 1):
        ratio, name, absolute = _parameter_difference(a.parameters(epoch), b.parameters(epoch))
        so_far = float(steps[: epoch * b.steps_per_epoch].max())
        epochs.append(EpochDifference(ratio, name, absolute, so_far, float(epoch_loss)))
    start = _parameter_difference(a.parameters(0), b.parameters(0))[2]
    values = tuple(float(value) for value in steps)
    return Pair(a.backend, b.backend, start, tuple(epochs), values, _parting(a, b, steps))


def _losses(recording: Recording) -> list[float]:
    return [epoch["loss"] for epoch in recording.epochs]


def _parting(a: Recording, b: Recording, differences: Array) -> Parting | None:
    parted = np.flatnonzero(differences > PARTED)
    if not parted.size:
        return None
    step = int(parted[0])
    return Parting(
        step=step + 1,
        epoch=step // b.steps_per_epoch + 1,
        losses=(a.step_losses[step], b.step_losses[step]),
        difference=float(differences[step]),
        before=float(differences[:step].max(initial=0.0)),
    )


def _parameter_difference(a: dict[str, Array], b: dict[str, Array]) -> tuple[float, str, float]:
    """Return the largest ‖a - b‖ / ‖b‖ (‖a - b‖ if b = 0), its array, and the largest |a - b|."""
    ratio, name, absolute = -1.0, "", 0.0
    for key, right in b.items():
        distance = np.asarray(a[key], np.float64) - right
        size = float(np.linalg.norm(right)) or 1.0
        found = float(np.linalg.norm(distance)) / size
        if math.isnan(found):
            found = math.inf
        if found > ratio:
            ratio, name = found, key
        absolute = max(absolute, float(np.abs(distance).max(initial=0.0)))
    return ratio, name, absolute

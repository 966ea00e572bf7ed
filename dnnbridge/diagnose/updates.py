"""`update_ratio`: how far a step moves each layer, as a share of its weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.diagnose.diagnosis import AbstractDiagnosis, Row, listed, norm_of, number, ratio_of
from dnnbridge.diagnose.subjects import Subject, by_layer, check_trains, copy_of, train_steps
from dnnbridge.training.checking.data import check_positive
from dnnbridge.training.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

USUAL = 1e-3
"""A step usually moves the weights by such a share of their norm."""

LEAST, MOST = 1e-4, 0.1
"""A median outside of these is named."""


@dataclass(frozen=True, eq=False, repr=False)
class UpdateRatio(AbstractDiagnosis):
    """How far each step moves each layer.

    Attributes:
        layers: paths of the layers with trained weights, in layer order.
        ratios: norm of the change of a layer's weights over their norm before it, (steps, layers);
            NaN for weights that are 0 and stay 0, infinite for those that leave 0.
        losses: the loss of each step.
        learning_rate: that of the first step; None if groups of weights have different ones.
    """

    layers: tuple[str, ...]
    ratios: Array
    losses: tuple[float, ...]
    learning_rate: float | None

    title: ClassVar[str] = "update ratio"

    @property
    def medians(self) -> dict[str, float]:
        """The median of each layer over the steps; NaN if no step has a finite ratio."""
        found = {}
        for name, ratios in zip(self.layers, self.ratios.T, strict=True):
            finite = ratios[np.isfinite(ratios)]
            found[name] = float(np.median(finite)) if finite.size else math.nan
        return found

    @property
    def slow(self) -> tuple[str, ...]:
        """Layers whose median is below 0.0001."""
        return tuple(name for name, ratio in self.medians.items() if ratio < LEAST)

    @property
    def fast(self) -> tuple[str, ...]:
        """Layers whose median is above 0.1."""
        return tuple(name for name, ratio in self.medians.items() if ratio > MOST)

    @property
    def ok(self) -> bool:
        return all(map(math.isfinite, self.losses)) and not (self.slow or self.fast)

    @property
    def verdict(self) -> str:
        if not all(map(math.isfinite, self.losses)):
            return "The loss became infinite or NaN: use a much smaller learning rate."
        medians = self.medians
        middle = number(float(np.nanmedian(list(medians.values()))))
        rate = "" if self.learning_rate is None else f" of {number(self.learning_rate)}"
        still = [name for name in self.layers if medians[name] == 0.0]
        if still:
            return (
                f"The weights of {listed(still)} do not move at all: no gradient reaches them. "
                "Look at the activations for dead units."
            )
        if self.slow and self.fast:
            return (
                f"A step moves {listed(self.slow)} too little and {listed(self.fast)} too far "
                "(below 0.0001 and above 0.1 of their norm). Look at the gradients of the layers."
            )
        if self.slow or self.fast:
            names, word = (self.slow, "small") if self.slow else (self.fast, "large")
            better = "larger" if self.slow else "smaller"
            ratio = medians[names[0]]
            return (
                f"A step moves {listed(names)} by {number(ratio)} of the norm of the weights, "
                f"where about 0.001 is usual: the learning rate{rate} is likely too {word}. Try "
                f"one that is {better} by a factor of {_factor(ratio):g}."
            )
        return f"A step moves the layers by {middle} of their norm, near the usual 0.001."

    def table(self) -> list[Row]:
        return [{"layer": name, "median": ratio} for name, ratio in self.medians.items()]

    def _figure(self) -> Figure:
        from dnnbridge.diagnose.pictures import curves

        steps = range(1, len(self.ratios) + 1)
        found = {n: (steps, r) for n, r in zip(self.layers, self.ratios.T, strict=True)}
        return curves(found, "step", "update / weights", log_y=True, mark_y={"usual": USUAL})


def _factor(ratio: float) -> float:
    """Return by how much a ratio is off the usual one, as a power of 10."""
    return 10.0 ** round(abs(math.log10(ratio / USUAL)))


@explained()
def update_ratio(
    subject: Subject,
    x: Any,
    y: Any,
    *,
    steps: int = 50,
    batch_size: int | None = None,
    backend: str | None = None,
) -> UpdateRatio:
    """Train a copy for some steps and compare each update with the weights that it changes.

    The ratio of a layer is ‖Δw‖ / ‖w‖ over all its trained weights. About 0.001 is usual; a
    median below 0.0001 or above 0.1 is named. Biases that start at 0 move far in relation to
    themselves, and little in relation to their layer.

    Args:
        subject: a run, which stays as it is, or an experiment.
        x: inputs.
        y: labels.
        steps: how many steps to train.
        batch_size: examples per step; by default 32.
        backend: of an experiment; by default that of `compile`.

    Raises:
        DataError, DTypeError: the arrays do not fit the experiment, or an argument is wrong.

    Example:
        >>> import numpy as np, dnnbridge as db
        >>> model = db.Sequential([db.Input((4,)), db.Dense(8, "tanh"), db.Dense(1)])
        >>> x = np.random.default_rng(0).normal(size=(64, 4))
        >>> experiment = db.Experiment(model, "mse", db.SGD(1e-6))
        >>> found = db.diagnose.update_ratio(experiment, x, x[:, :1], backend="reference")
        >>> found.ok, found.slow
        (False, ('dense', 'dense_1'))
    """
    check_positive(steps, "steps")
    run = copy_of(subject, backend)
    rate, program = run.learning_rate, run.experiment.program()
    moved = [n for n in program.parameters if run.experiment.rules.moves(program.state[n])]
    check_trains(dict.fromkeys(moved))
    layers, found, before = by_layer(dict.fromkeys(moved)), list[list[float]](), run.parameters()

    def measure(run: Run, _: float) -> None:
        nonlocal before
        after = run.parameters()
        found.append([_ratio(before, after, names) for names in layers.values()])
        before = after

    losses = train_steps(run, (x, y), steps, batch_size, after=measure).step_losses
    return UpdateRatio(tuple(layers), np.array(found), tuple(losses), rate)


def _ratio(before: dict[str, Array], after: dict[str, Array], names: list[str]) -> float:
    old = [before[name].astype(np.float64) for name in names]
    moved = [after[name].astype(np.float64) - w for name, w in zip(names, old, strict=True)]
    return ratio_of(norm_of(moved), norm_of(old))

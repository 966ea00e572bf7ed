"""`gradients`: how large the gradient of each layer is, step by step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.diagnose.diagnosis import AbstractDiagnosis, Row, listed, norm_of, number, ratio_of
from dnnbridge.diagnose.subjects import (
    Subject,
    by_layer,
    check_data,
    check_trains,
    copy_of,
    count_of,
    rows,
    train_steps,
)
from dnnbridge.training.checking.data import check_positive
from dnnbridge.training.probing import gradients_of
from dnnbridge.training.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VANISHES, EXPLODES = 1e-3, 1e3
"""A layer whose gradient per weight is so much smaller or larger than the last one's is named.

EXPLODES is also how many times a norm may grow, and how many times it may be that of the weights.
"""


@dataclass(frozen=True, eq=False, repr=False)
class Gradients(AbstractDiagnosis):
    """Sizes of the gradients of each layer with trained weights.

    Attributes:
        layers: paths of the layers, in layer order.
        steps: the steps after which gradients were measured, counted from the first measurement.
        norms: Euclidean norm of the gradient of each layer, (steps, layers).
        rms: root of the mean square of its elements, which does not depend on its size.
        weights: norm of the trained weights of each layer, (steps, layers).
    """

    layers: tuple[str, ...]
    steps: tuple[int, ...]
    norms: Array
    rms: Array
    weights: Array

    title: ClassVar[str] = "gradients"

    @property
    def ratios(self) -> dict[str, float]:
        """The rms of each layer over that of the last layer, the median over the steps."""
        last = self.rms[:, -1]
        return {
            name: float(np.median([ratio_of(a, b) for a, b in zip(values, last, strict=True)]))
            for name, values in zip(self.layers, self.rms.T, strict=True)
        }

    @property
    def vanishing(self) -> tuple[str, ...]:
        """Layers whose ratio is below 0.001."""
        return tuple(name for name, ratio in self.ratios.items() if ratio < VANISHES)

    @property
    def exploding(self) -> tuple[str, ...]:
        """Layers with a ratio above 1000, or a norm 1000 times its first or that of weights."""
        start = self.norms[0]
        grown = (self.norms > EXPLODES * np.where(start > 0.0, start, np.inf)).any(axis=0)
        large = (self.norms > EXPLODES * self.weights).any(axis=0)
        ratios = np.array(list(self.ratios.values())) > EXPLODES
        found = grown | large | ratios
        return tuple(name for name, bad in zip(self.layers, found, strict=True) if bad)

    @property
    def ok(self) -> bool:
        healthy = bool(np.isfinite(self.norms).all()) and bool(self.norms.any())
        return healthy and not (self.vanishing or self.exploding)

    @property
    def verdict(self) -> str:
        if not np.isfinite(self.norms).all():
            bad = np.flatnonzero(~np.isfinite(self.norms).all(axis=1))[0]
            return (
                f"Gradients are not finite from step {self.steps[bad]} on. Use a smaller learning "
                "rate or ClipByGlobalNorm, and look for inputs that are too large."
            )
        if not self.norms.any():
            return "All gradients are 0: the loss is at its floor, or nothing reaches it."
        if self.vanishing:
            name = self.vanishing[0]
            return (
                f"Gradients vanish in {listed(self.vanishing)}: per weight, that of {name} is "
                f"{number(self.ratios[name])} times that of {self.layers[-1]}. Use ReLU with "
                "HeNormal in place of sigmoid or tanh, normalisation, or shortcuts around layers; "
                "look at the activations for dead units."
            )
        if self.exploding:
            at = self.layers.index(self.exploding[0])
            return (
                f"Gradients explode in {listed(self.exploding)}: the norm in "
                f"{self.exploding[0]} is {number(self.norms[:, at].max())}, and that of its "
                f"weights {number(self.weights[0, at])}. Start with smaller weights (HeNormal, "
                "GlorotNormal), scale inputs and labels, and use ClipByGlobalNorm(1.0) or a "
                "smaller learning rate."
            )
        sizes = [r for r in self.ratios.values() if math.isfinite(r)]
        return (
            f"Gradients reach every layer: per weight they are {number(min(sizes))} to "
            f"{number(max(sizes))} times those of {self.layers[-1]}, with a norm of "
            f"{number(self.norms.min())} to {number(self.norms.max())}."
        )

    def table(self) -> list[Row]:
        ratios = self.ratios
        return [
            {
                "layer": name,
                "first norm": float(norms[0]),
                "last norm": float(norms[-1]),
                "rms": float(rms[-1]),
                "to last layer": ratios[name],
            }
            for name, norms, rms in zip(self.layers, self.norms.T, self.rms.T, strict=True)
        ]

    def _figure(self) -> Figure:
        from dnnbridge.diagnose.pictures import curves

        found = {n: (self.steps, v) for n, v in zip(self.layers, self.norms.T, strict=True)}
        return curves(found, "step", "norm of the gradient", log_y=True)


@explained()
def gradients(
    subject: Subject,
    x: Any,
    y: Any,
    *,
    steps: int = 20,
    batch_size: int | None = None,
    backend: str | None = None,
) -> Gradients:
    """Train a copy for some steps and measure the gradient of every layer.

    It is that of the loss of the first `batch_size` examples, with penalties and before clipping,
    measured before the first step and after each one. Layers are compared by the root of the mean
    square of their gradient. They vanish below 0.001 times that of the last layer. They explode
    above 1000 times, or with a norm above 1000 times its first or that of the weights. (Bengio,
    Simard & Frasconi, 1994)

    Args:
        subject: a run, which stays as it is, or an experiment.
        x: inputs.
        y: labels.
        steps: how many steps to train; 0 looks at the present weights only.
        batch_size: examples per step; by default 32.
        backend: of an experiment; by default that of `compile`.

    Raises:
        DataError, DTypeError: the arrays do not fit the experiment, or an argument is wrong.

    Example:
        >>> import numpy as np, dnnbridge as db
        >>> layers = [db.Dense(20, "sigmoid") for _ in range(10)]
        >>> model = db.Sequential([db.Input((4,)), *layers, db.Dense(1)])
        >>> x = np.random.default_rng(0).normal(size=(64, 4))
        >>> experiment = db.Experiment(model, "mse", db.SGD(0.1))
        >>> found = db.diagnose.gradients(experiment, x, x[:, :1], backend="reference")
        >>> found.ok, found.vanishing[0]
        (False, 'dense')
    """
    if steps != 0:
        check_positive(steps, "steps")
    run = copy_of(subject, backend)
    check_data(run, x, y)
    size = batch_size or run.experiment.model.batch_size or 32
    first = np.arange(min(size, count_of(x)))
    batch = rows(x, first), rows(y, first)
    start = gradients_of(run, *batch)
    check_trains(start)
    found = [_sizes(start, run)]

    def measure(run: Run, _: float) -> None:
        found.append(_sizes(gradients_of(run, *batch), run))

    if steps:
        train_steps(run, (x, y), steps, batch_size, after=measure)
    norms, rms, weights = np.array(found).transpose(1, 0, 2)
    return Gradients(tuple(by_layer(start)), tuple(range(len(found))), norms, rms, weights)


def _sizes(gradients: dict[str, Array], run: Run) -> Array:
    """Return norm and root mean square of each layer's gradient, and the norm of its weights."""
    weights, layers = run.parameters(), by_layer(gradients)
    norms = [norm_of([gradients[name] for name in names]) for names in layers.values()]
    sizes = [sum(gradients[name].size for name in names) for names in layers.values()]
    rms = [norm / math.sqrt(size) for norm, size in zip(norms, sizes, strict=True)]
    return np.array(
        [norms, rms, [norm_of([weights[n] for n in names]) for names in layers.values()]]
    )

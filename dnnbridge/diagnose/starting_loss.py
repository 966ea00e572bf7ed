"""`initial_loss`: the loss before training, against that of equal probabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.diagnose.diagnosis import AbstractDiagnosis, Row, number
from dnnbridge.diagnose.expected import uninformed
from dnnbridge.diagnose.quieting import quiet
from dnnbridge.diagnose.subjects import Subject, arrays_of, copy_of, present_loss, run_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOLERANCE = 0.3
"""Largest relative distance from the expected loss."""

LOPSIDED = 0.5
"""Above this share of equal spread the outputs are the same for all examples."""


@dataclass(frozen=True, eq=False, repr=False)
class InitialLoss(AbstractDiagnosis):
    """The loss before training.

    Attributes:
        loss: mean over the examples, without penalties.
        penalty: what penalties add to it.
        expected: the loss of equal probabilities; None if the loss has no such value.
        step: how many steps the run has been trained: 0 for an experiment.
        common: the share of the squared outputs that all examples have in common, from 0 to 1.
    """

    loss: float
    penalty: float
    expected: float | None
    step: int
    common: float

    title: ClassVar[str] = "initial loss"

    @property
    def ok(self) -> bool | None:
        if not math.isfinite(self.loss):
            return False
        if self.expected is None or self.step:
            return None
        return abs(self.loss - self.expected) <= TOLERANCE * self.expected

    @property
    def verdict(self) -> str:
        if not math.isfinite(self.loss):
            place = f"after {self.step} steps" if self.step else "before the first step"
            return (
                f"The loss is {self.loss} {place}. Look for inputs that are not "
                "finite or too large, and scale them to a standard deviation of 1."
            )
        if self.expected is None:
            return f"The loss starts at {number(self.loss)}; no value is known for this loss."
        against = f"{number(self.loss)}, and equal probabilities give {number(self.expected)}"
        if self.step:
            return f"After {self.step} steps the loss is {against}."
        if self.ok:
            return f"The loss starts at {against}: the model begins without an opinion."
        if self.loss < self.expected:
            return (
                f"The loss starts at {against}: the model knows labels before training. Look for "
                "weights that were loaded, labels among the inputs, or a bias set to the shares of "
                "the classes."
            )
        return f"The loss starts at {against}: the model is sure of wrong classes. {self._cause()}"

    def _cause(self) -> str:
        if self.common > LOPSIDED:
            return (
                "Its outputs are nearly the same for all examples, so the bias of the last layer "
                "is wrong: start it with 0."
            )
        return (
            "The weights or the inputs are too large: scale inputs to a standard deviation of 1, "
            "and start with GlorotUniform."
        )

    def table(self) -> list[Row]:
        return [{"loss": self.loss, "expected": self.expected, "penalty": self.penalty}]

    def _figure(self) -> Figure:
        from dnnbridge.diagnose.pictures import bars

        found = {"loss": self.loss, "penalty": self.penalty}
        return bars(found, "loss", {} if self.expected is None else {"expected": self.expected})


@explained()
def initial_loss(
    subject: Subject, x: Any, y: Any, *, batch_size: int | None = None, backend: str | None = None
) -> InitialLoss:
    """Compare the loss before training with that of equal probabilities.

    A cross-entropy of C classes should start near log C, a binary one near log 2, a hinge loss
    near 1: within 30 %. Class weights and label smoothing are taken into account. Penalties are
    left out. For other losses there is no expected value.

    Args:
        subject: a run, which stays as it is, or an experiment.
        x: inputs.
        y: labels.
        batch_size: examples per step; by default 256.
        backend: of an experiment; by default that of `compile`.

    Raises:
        DataError, DTypeError: the arrays do not fit the experiment.

    Example:
        >>> import numpy as np, dnnbridge as db
        >>> last = db.Dense(10, "softmax", bias_initializer=db.TruncatedNormal(stddev=20.0))
        >>> model = db.Sequential([db.Input((4,)), last])
        >>> experiment = db.Experiment(model, "sparse_categorical_crossentropy", "sgd")
        >>> x, y = np.random.default_rng(0).normal(size=(50, 4)), np.arange(50) % 10
        >>> found = db.diagnose.initial_loss(experiment, x, y, backend="reference")
        >>> found.ok, round(found.expected, 4)
        (False, 2.3026)
    """
    run = run_of(subject, backend)
    if run.experiment.program().carried:  # a prediction would move its states
        run = copy_of(run)
    total = present_loss(run, (x, y), batch_size)
    plain, changed = quiet(run.experiment, ("penalties",))
    loss = present_loss(run.with_experiment(plain), (x, y), batch_size) if changed else total
    common = _common(arrays_of(run.predict(x, batch_size))[0])
    return InitialLoss(loss, total - loss, uninformed(run, y), run.position.step, common)


def _common(outputs: Array) -> float:
    """Return the variance of the mean output over the classes, as a share of all variance."""
    flat = np.asarray(outputs, np.float64).reshape(-1, outputs.shape[-1])
    centred = flat - flat.mean()
    whole = float((centred**2).mean())
    if not math.isfinite(whole) or whole == 0.0:
        return 0.0
    return float((centred.mean(axis=0) ** 2).mean()) / whole

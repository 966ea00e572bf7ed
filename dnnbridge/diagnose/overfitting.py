"""`overfit_small`: whether a model can learn a few examples by heart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dnnbridge.base.calling import explained
from dnnbridge.diagnose.diagnosis import AbstractDiagnosis, Row, number
from dnnbridge.diagnose.expected import lowest
from dnnbridge.diagnose.quieting import quiet
from dnnbridge.diagnose.subjects import (
    Subject,
    check_data,
    copy_of,
    count_of,
    present_loss,
    rows,
    run_of,
    train_steps,
)
from dnnbridge.diagnose.suspects import STILL_FALLING, Suspect, suspects
from dnnbridge.errors import DataError
from dnnbridge.experiment import Experiment
from dnnbridge.training.checking.data import check_positive
from dnnbridge.training.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMOOTHING = 0.9
"""How slowly the loss that decides follows the losses of the steps."""


@dataclass(frozen=True, eq=False, repr=False)
class OverfitSmall(AbstractDiagnosis):
    """A training on a few examples without anything that keeps the model from fitting them.

    Attributes:
        losses: the loss of each step.
        loss: the loss of all these examples after the training.
        floor: the lowest loss that the labels allow: 0 unless they are probabilities or counts.
        target: the loss that was to be reached.
        examples: how many were trained on.
        changed: what was turned off in the spec, in words.
        suspects: likely faults, if the loss is not near its floor.
    """

    losses: tuple[float, ...]
    loss: float
    floor: float
    target: float
    examples: int
    changed: tuple[str, ...]
    suspects: tuple[Suspect, ...]

    title: ClassVar[str] = "overfit small"

    @property
    def ok(self) -> bool | None:
        """Whether the target was reached; None if the loss is not there yet, but still falls."""
        if self.loss <= self.target:
            return True
        return None if self.suspects and self.suspects[0].name == STILL_FALLING else False

    @property
    def verdict(self) -> str:
        count = len(self.losses)
        steps = f"{self.examples} examples in {count} step{'s' * (count != 1)}"
        if self.ok:
            return (
                f"The model learns {steps}: the loss is {number(self.loss)} (at most "
                f"{number(self.target)} was wanted), so nothing keeps it from learning."
            )
        found = (
            f"The model does not learn {steps}: the loss went from {number(self.losses[0])} to "
            f"{number(self.loss)}, and {number(self.target)} was wanted."
        )
        return " ".join([found, *(suspect.text for suspect in self.suspects[:2])])

    def table(self) -> list[Row]:
        found: list[Row] = [
            {"what": "first loss", "value": self.losses[0]},
            {"what": "last loss", "value": self.loss},
            {"what": "target", "value": self.target},
            {"what": "steps", "value": len(self.losses)},
        ]
        found += [{"what": "turned off", "value": text} for text in self.changed]
        return found + [{"what": "likely fault", "value": each.name} for each in self.suspects]

    def _figure(self) -> Figure:
        from dnnbridge.diagnose.pictures import curves

        steps = range(1, len(self.losses) + 1)
        marked = {"target": self.target} if self.target > 0.0 else {}
        found = {"loss": (steps, self.losses)}
        return curves(found, "step", "loss", log_y=self.floor >= 0.0, mark_y=marked)


@explained()
def overfit_small(
    subject: Subject,
    x: Any,
    y: Any,
    *,
    examples: int = 500,
    steps: int = 2000,
    batch_size: int | None = None,
    tolerance: float = 0.01,
    backend: str | None = None,
) -> OverfitSmall:
    """Train on a few examples until the loss is near its floor: a sound model learns them by heart.

    Dropout and noise, penalties, weight decay, constraints and label smoothing are turned off. The
    training ends when the loss of the examples is within `tolerance` of the floor, as a share of
    the loss at the start. If it does not get there, the verdict names likely faults: frozen or
    unreached weights, equal inputs with different labels, constant or unscaled inputs, a wrong
    learning rate, too few weights or steps.

    Args:
        subject: a run, which stays as it is and whose weights are the start, or an experiment.
        x: inputs; the first `examples` rows are used.
        y: labels.
        examples: how many rows to use at most.
        steps: how many steps to train at most.
        batch_size: examples per step; by default 32.
        tolerance: how close to the floor the loss must come, as a share of its start.
        backend: of an experiment; by default that of `compile`.

    Raises:
        DataError, DTypeError: the arrays do not fit the experiment, or an argument is wrong.

    Example:
        >>> import numpy as np, dnnbridge as db
        >>> layers = [db.Dropout(0.5), db.Dense(32, "relu"), db.Dense(3, "softmax")]
        >>> model = db.Sequential([db.Input((4,)), *layers])
        >>> experiment = db.Experiment(model, "sparse_categorical_crossentropy", db.Adam(0.01))
        >>> x, y = np.random.default_rng(0).normal(size=(20, 4)), np.arange(20) % 3
        >>> found = db.diagnose.overfit_small(experiment, x, y, backend="reference")
        >>> found.ok, found.changed
        (True, ('Dropout: rate 0.5',))
    """
    check_positive(examples, "examples")
    check_positive(steps, "steps")
    if not 0.0 < tolerance < 1.0:
        raise DataError("must be between 0 and 1", where="tolerance", got=str(tolerance))
    run, changed = _quiet_run(subject, backend)
    check_data(run, x, y)
    size = run.experiment.model.batch_size
    count = min(examples, count_of(x))
    few = np.arange(count - count % size if size else count)
    data = rows(x, few), rows(y, few)
    floor, start = lowest(run, data[1]), _loss(run, data)
    target = floor + tolerance * (abs(start - floor) if math.isfinite(start) else 0.0)
    mean = start

    def goes_on(run: Run, loss: float) -> bool:
        nonlocal mean
        mean = SMOOTHING * mean + (1.0 - SMOOTHING) * loss
        return not (mean <= target and _loss(run, data) <= target)

    losses = train_steps(run, data, steps, batch_size, after=goes_on).step_losses
    loss = _loss(run, data)
    found = suspects(run, data, losses, target) if not loss <= target else []
    return OverfitSmall(tuple(losses), loss, floor, target, len(few), changed, tuple(found))


def _quiet_run(subject: Subject, backend: str | None) -> tuple[Run, tuple[str, ...]]:
    """Return a copy without what keeps a model from fitting its examples."""
    given = subject.experiment if isinstance(subject, Run) else subject
    plain, changed = quiet(given) if isinstance(given, Experiment) else (given, ())
    if isinstance(subject, Run) and changed:
        return run_of(subject, backend).with_experiment(plain), changed
    return copy_of(subject if isinstance(subject, Run) else plain, backend), changed


def _loss(run: Run, data: tuple[Any, Any]) -> float:
    found = present_loss(run, data)
    return found if math.isfinite(found) else math.inf

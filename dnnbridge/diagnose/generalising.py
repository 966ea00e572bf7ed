"""`generalisation`: the loss of training against that of data that were not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from dnnbridge.base.calling import explained
from dnnbridge.diagnose.diagnosis import AbstractDiagnosis, Row, number, ratio_of, share
from dnnbridge.diagnose.subjects import Subject, copy_of, present_loss
from dnnbridge.diagnose.trainings import best_of, epochs_of, metrics_of, values_of
from dnnbridge.errors import DataError
from dnnbridge.training.checking.data import check_positive
from dnnbridge.training.history import History
from dnnbridge.training.sources.recognising import Batches

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RISES = 0.1
"""A validation loss that ends above its best value by such a share rises."""

CARRIED = 0.7
"""A smaller share of what training gains that validation gains too is overfitting."""

LEARNS = 0.2
"""A loss that falls by a smaller share of its first value does not learn."""

STILL = 0.01
"""A validation loss that the last epoch lowers by such a share of the first loss still falls."""


@dataclass(frozen=True, eq=False, repr=False)
class Generalisation(AbstractDiagnosis):
    """Losses and metrics of training and of validation, after each epoch.

    Attributes:
        history: of the training; its "val_…" are those of the validation data.
        start: the loss of all examples before training.
    """

    history: History
    start: float

    title: ClassVar[str] = "generalisation"

    @property
    def loss(self) -> list[float]:
        """The training loss of each epoch."""
        return values_of(self.history, "loss")

    @property
    def val_loss(self) -> list[float]:
        """The validation loss of each epoch."""
        return values_of(self.history, "val_loss")

    @property
    def gaps(self) -> dict[str, list[float]]:
        """Validation minus training after each epoch, for the loss and each metric."""
        names = [n for n in metrics_of({"": self.history}) if not n.startswith("val_")]
        pairs = {
            n: (values_of(self.history, f"val_{n}"), values_of(self.history, n)) for n in names
        }
        return {
            n: [v - t for v, t in zip(val, train, strict=True)] for n, (val, train) in pairs.items()
        }

    @property
    def best_epoch(self) -> int:
        """The epoch with the lowest validation loss, counted from 1."""
        return best_of(self.val_loss, "min")[0] + 1

    @property
    def overfits(self) -> bool:
        """Whether validation gets worse while training goes on, or lacks much of its gain.

        The validation loss ends 10 % above its best value, or less than 70 % are carried over.
        """
        rises = self.val_loss[-1] > (1.0 + RISES) * self.val_loss[self.best_epoch - 1]
        return self.learns and (rises or self.carried_over < CARRIED)

    @property
    def carried_over(self) -> float:
        """How far the validation loss ends below the start, over how far the training loss does."""
        return ratio_of(self.start - self.val_loss[-1], self.start - self.loss[-1])

    @property
    def learns(self) -> bool:
        """Whether the training loss ends at least 20 % below its start."""
        return self.start - self.loss[-1] >= LEARNS * abs(self.start)

    @property
    def still_learning(self) -> bool:
        """Whether the last epoch lowers the validation loss by 1 % of the loss at the start."""
        if len(self.val_loss) < 2 or self.best_epoch < len(self.val_loss):
            return False
        before, last = self.val_loss[-2:]
        return before - last >= STILL * abs(self.start)

    @property
    def ok(self) -> bool:
        return self.history.nonfinite_step is None and self.learns and not self.overfits

    @property
    def verdict(self) -> str:
        if self.history.nonfinite_step is not None:
            return (
                f"The loss is infinite or NaN at step {self.history.nonfinite_step}: use a smaller "
                "learning rate, and look for inputs that are not finite."
            )
        ends = f"training {number(self.loss[-1])}, validation {number(self.val_loss[-1])}"
        if not self.learns:
            return (
                f"It underfits: the training loss is {number(self.start)} at the start and "
                f"{number(self.loss[-1])} at the end. Try another learning rate "
                "(learning_rate_range), a larger model, and overfit_small to find a fault."
            )
        if self.overfits:
            best = number(self.val_loss[self.best_epoch - 1])
            return (
                f"It overfits: the loss ends at {ends}, and the validation loss was lowest in "
                f"epoch {self.best_epoch} ({best}). Stop there (EarlyStopping), or try more "
                "examples, Dropout, weight decay or a smaller model."
            )
        if self.still_learning:
            return f"It still learns: the loss is at {ends} and falling. Train for more epochs."
        return (
            f"It generalises: the loss ends at {ends}, so {share(min(self.carried_over, 1.0))} of "
            f"what training gains carries over. Validation was best in epoch {self.best_epoch}."
        )

    def table(self) -> list[Row]:
        return [
            {
                "epoch": epoch + 1,
                **{n: values_of(self.history, n)[epoch] for n in metrics_of({"": self.history})},
                **{f"{name} gap": gap[epoch] for name, gap in self.gaps.items()},
            }
            for epoch in range(len(self.loss))
        ]

    def _figure(self) -> Figure:
        from dnnbridge.diagnose.pictures import curves

        found = {"training": self.loss, "validation": self.val_loss}
        placed = {name: (epochs_of(self.history, y), y) for name, y in found.items()}
        return curves(placed, "epoch", "loss", mark_x={"best epoch": self.best_epoch})


@explained()
def generalisation(
    subject: Subject,
    x: Any,
    y: Any,
    *,
    validation_data: Batches | None = None,
    validation_split: float = 0.0,
    epochs: int = 20,
    batch_size: int | None = None,
    backend: str | None = None,
) -> Generalisation:
    """Train a copy and compare losses and metrics of training and of validation.

    Args:
        subject: a run, which stays as it is, or an experiment.
        x: inputs.
        y: labels.
        validation_data: (x, y) or (x, y, sample_weight).
        validation_split: part of the examples to validate on instead, the last ones.
        epochs: how many to train.
        batch_size: examples per step; by default 32.
        backend: of an experiment; by default that of `compile`.

    Raises:
        DataError, DTypeError: the arrays do not fit, or there is nothing to validate on.

    Example:
        >>> import numpy as np, dnnbridge as db
        >>> rng = np.random.default_rng(0)
        >>> x, noise = rng.normal(size=(60, 20)), rng.normal(size=(60, 1))
        >>> model = db.Sequential([db.Input((20,)), db.Dense(50, "relu"), db.Dense(1)])
        >>> found = db.diagnose.generalisation(
        ...     db.Experiment(model, "mse", db.Adam(0.01)), x, noise,
        ...     validation_split=0.5, backend="reference"
        ... )
        >>> found.ok, found.overfits
        (False, True)
    """
    check_positive(epochs, "epochs")
    if validation_data is None and not validation_split:
        raise DataError(
            "there is nothing to validate on",
            where="validation_data",
            hint="Give validation_data=(x, y), or validation_split=0.2.",
        )
    run = copy_of(subject, backend)
    start = present_loss(run, (x, y))
    history = run.fit(
        x,
        y,
        batch_size,
        epochs,
        validation_data,
        validation_split=validation_split,
        verbose=0,
    )
    return Generalisation(history, start)

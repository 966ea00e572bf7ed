"""Callbacks: code that `fit` calls while a run trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dnnbridge.training.history import Logs
from dnnbridge.training.hooks import PREFIX, check_hooks

if TYPE_CHECKING:
    from dnnbridge.training.run import Run


class Callback:
    """Base of callbacks; override what you need.

    A method whose name begins with "on_" must be one of these hooks. Several steps run in one
    compiled call, and the hooks of steps are called once for all of them.

    Attributes:
        every_steps: a number of steps, or None. A compiled call ends at each multiple of it,
            counted over the life of the run, so that `on_steps_end` is called there: 1 makes each
            step a call of its own, which costs time.
        monitor: the metric that this callback follows, or "". `fit` raises if it begins with
            "val_" and there is nothing to validate on.
        first_worker_only: whether only the first of several workers has this callback, because it
            writes files. All other callbacks hear the same numbers on every worker, and must do
            the same with them, such as to stop.

    Example:
        >>> import dnnbridge as db
        >>> class Rates(db.Callback):
        ...     def on_epoch_begin(self, run, epoch):
        ...         print(f"epoch {epoch} begins at step {run.position.step}")
        >>> model = db.Sequential([db.Input((1,)), db.Dense(1)])
        >>> run = db.compile(db.Experiment(model, "mse", db.SGD(0.1)), "reference")
        >>> x = [[0.0], [1.0], [2.0]]
        >>> _ = run.fit(x, x, batch_size=2, epochs=2, callbacks=[Rates()], verbose=0)
        epoch 0 begins at step 0
        epoch 1 begins at step 2
    """

    every_steps: int | None = None
    monitor: str = ""
    first_worker_only: bool = False

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        hooks = {name: hook for name, hook in vars(Callback).items() if name.startswith(PREFIX)}
        check_hooks(cls, hooks)

    def hears(self, run: Run) -> bool:
        """Return whether a run is at a multiple of `every_steps`; False if that is None."""
        return self.every_steps is not None and run.position.step % self.every_steps == 0

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        """`fit` is about to train; `steps_per_epoch` is 0 for a stream of unknown length."""

    def on_epoch_begin(self, run: Run, epoch: int) -> None:
        """An epoch, counted from 0, is about to begin, or to go on where the run stopped."""

    def on_steps_begin(self, run: Run, steps: int) -> None:
        """Some steps are about to run, in one compiled call."""

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        """Some steps are done; `losses` are theirs."""

    def on_validation_begin(self, run: Run, epoch: int) -> None:
        """The steps of an epoch are done, and `validation_data` is about to be evaluated."""

    def on_validation_end(self, run: Run, epoch: int, logs: Logs) -> None:
        """`validation_data` has been evaluated; `logs` has its losses and metrics ("val_…")."""

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        """An epoch, counted from 0, is done; `logs` has its losses and metrics."""

    def on_train_end(self, run: Run) -> None:
        """`fit` is about to return, after the last epoch or an error."""

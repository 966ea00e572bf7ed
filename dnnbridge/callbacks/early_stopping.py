"""`EarlyStopping`: end a training that no longer improves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.callbacks.monitoring import AbstractMonitor, Mode, say
from dnnbridge.training.checking.data import check_bool, check_count
from dnnbridge.training.history import Logs

if TYPE_CHECKING:
    from dnnbridge.training.run import Run


class EarlyStopping(AbstractMonitor):
    """End a training when a metric has not improved for `patience` epochs, as in Keras.

    Args:
        monitor: the name of the metric in the history.
        min_delta: the smallest change that counts as an improvement.
        patience: epochs without improvement before the training ends.
        verbose: 1 says when the training ends, 0 says nothing.
        mode: "min" if lower is better, "max" if higher is better; "auto" goes by the metric.
        baseline: only what is better than this number ends the waiting.
        restore_best_weights: at the end, give the run the weights of the best epoch, with what
            layers keep besides, such as running means. Without an improvement, those of the first.
        start_from_epoch: epochs at the beginning, counted from the run's first, that do not count.
        restore_optimizer: with `restore_best_weights`, also restore the arrays of the optimizer
            and the position: the run is then where it was after its best epoch.

    After training, `best` is the best value, `best_epoch` and `stopped_epoch` (None if the
    training was not ended) are counted from 0.

    Example:
        >>> import dnnbridge as db
        >>> model = db.Sequential([db.Input((1,)), db.Dense(1)])
        >>> run = db.compile(db.Experiment(model, "mse", db.SGD(2.0)), "reference")
        >>> stop = EarlyStopping("loss", patience=2, restore_best_weights=True)
        >>> x = [[0.0], [1.0]]
        >>> _ = run.fit(x, x, epochs=9, callbacks=[stop], verbose=0)
        >>> stop.best_epoch, stop.stopped_epoch
        (0, 2)
    """

    @explained(name="EarlyStopping")
    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: Mode = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
        *,
        restore_optimizer: bool = False,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = check_count(patience, "EarlyStopping.patience")
        self.start_from_epoch = check_count(start_from_epoch, "EarlyStopping.start_from_epoch")
        check_bool(restore_best_weights, "EarlyStopping.restore_best_weights")
        check_bool(restore_optimizer, "EarlyStopping.restore_optimizer")
        self.verbose, self.baseline = verbose, baseline
        self.restore_best_weights, self.restore_optimizer = restore_best_weights, restore_optimizer
        self._reset()

    def _reset(self) -> None:
        self.best: float | None = None
        self.best_epoch = self._waited = 0
        self.stopped_epoch: int | None = None
        self._kept: dict[str, Any] = {}

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        super().on_train_begin(run, epochs, steps_per_epoch)
        self._reset()

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        current = self.value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and not self._kept:
            self._keep(run, epoch)
        self._waited += 1
        if self.better(current, self.best):
            self.best = current
            self._keep(run, epoch)
            if self.baseline is None or self.better(current, self.baseline):
                self._waited = 0
        elif self._waited >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            run.stop()

    def _keep(self, run: Run, epoch: int) -> None:
        self.best_epoch = epoch
        if not self.restore_best_weights:
            return
        self._kept = {"values": run.state() if self.restore_optimizer else run.weights()}
        if self.restore_optimizer:
            self._kept |= {"position": run.position, "optimizer": run.optimizer}

    def on_train_end(self, run: Run) -> None:
        if self.verbose and self.stopped_epoch is not None:
            say(self, f"epoch {self.stopped_epoch + 1}: the training ends")
        if not self._kept:
            return
        if self.verbose:
            say(self, f"the weights are those of epoch {self.best_epoch + 1}")
        values: dict[str, Array] = self._kept["values"]
        if self.restore_optimizer:
            run.set_state(**self._kept)
        else:
            run.set_weights(values)
        self._kept = {}

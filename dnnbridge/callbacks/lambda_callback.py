"""`LambdaCallback`: a callback of functions, with Keras' arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dnnbridge.base.calling import explained
from dnnbridge.base.messages import what
from dnnbridge.errors import ArgumentError
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.history import Logs

if TYPE_CHECKING:
    from dnnbridge.training.run import Run

Hook = Callable[..., Any] | None


class LambdaCallback(Callback):
    """Call functions while a run trains, with the arguments that Keras gives them.

    Args:
        on_epoch_begin: called with the epoch, counted from 0, and an empty dictionary.
        on_epoch_end: called with the epoch, and its losses and metrics.
        on_train_begin: called with an empty dictionary.
        on_train_end: called with the losses and metrics of the last epoch.
        on_train_batch_begin: called with the step of the epoch, counted from 0, and an empty
            dictionary. Each step is then a compiled call of its own, which costs time.
        on_train_batch_end: called with the step, and losses and metrics of the epoch so far.

    Example:
        >>> import dnnbridge as db
        >>> model = db.Sequential([db.Input((1,)), db.Dense(1, kernel_initializer="zeros")])
        >>> run = db.compile(db.Experiment(model, "mse", db.SGD(0.0)), "reference")
        >>> tell = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
        >>> _ = run.fit([[1.0]], [[2.0]], epochs=2, callbacks=[tell], verbose=0)
        0 4.0
        1 4.0
    """

    @explained(
        {
            "on_batch_end": "Write on_train_batch_end.",
            "on_batch_begin": "Write on_train_batch_begin.",
        },
        "LambdaCallback",
    )
    def __init__(
        self,
        on_epoch_begin: Hook = None,
        on_epoch_end: Hook = None,
        on_train_begin: Hook = None,
        on_train_end: Hook = None,
        on_train_batch_begin: Hook = None,
        on_train_batch_end: Hook = None,
    ) -> None:
        self._hooks: dict[str, Hook] = {
            "epoch_begin": on_epoch_begin,
            "epoch_end": on_epoch_end,
            "train_begin": on_train_begin,
            "train_end": on_train_end,
            "train_batch_begin": on_train_batch_begin,
            "train_batch_end": on_train_batch_end,
        }
        for name, hook in self._hooks.items():
            if hook is not None and not callable(hook):
                raise ArgumentError(
                    "must be a function, or None", where=f"LambdaCallback.on_{name}", got=what(hook)
                )
        if on_train_batch_begin or on_train_batch_end:
            self.every_steps = 1
        self._last: Logs = {}

    def _call(self, name: str, *given: Any) -> None:
        if (hook := self._hooks[name]) is not None:
            hook(*given)

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        self._last = {}
        self._call("train_begin", {})

    def on_epoch_begin(self, run: Run, epoch: int) -> None:
        self._call("epoch_begin", epoch, {})

    def on_steps_begin(self, run: Run, steps: int) -> None:
        self._call("train_batch_begin", run.position.batch, {})

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        if self._hooks["train_batch_end"] is not None:
            self._call("train_batch_end", run.position.batch - 1, run.epoch_logs)

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        self._last = logs
        self._call("epoch_end", epoch, logs)

    def on_train_end(self, run: Run) -> None:
        self._call("train_end", self._last)

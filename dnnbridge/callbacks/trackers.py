"""`MlflowCallback` and `WandbMetricsLogger`: send metrics to MLflow or Weights & Biases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dnnbridge.base.packages import load
from dnnbridge.callbacks.monitoring import with_rate
from dnnbridge.errors import PackageNotInstalledError
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.history import Logs

if TYPE_CHECKING:
    from dnnbridge.training.run import Run


def _module(name: str) -> Any:
    """Return the module of a service, or raise."""
    try:
        return load(name)
    except ImportError as error:
        raise PackageNotInstalledError(
            f"the callback needs {name}", got="it is not installed", hint=f"Run: pip install {name}"
        ) from error


def _facts(run: Run) -> dict[str, Any]:
    """Return what a service shows beside the curves of a run."""
    experiment = run.experiment
    return {
        "backend": run.backend,
        "device": run.device,
        "seed": experiment.seed,
        "optimizer": repr(experiment.optimizer),
        "loss": repr(experiment.loss),
    }


class MlflowCallback(Callback):
    """Log losses, metrics and the rate of each epoch to the active run of MLflow.

    It starts a run where none is active, and ends it then. Metrics are sent by
    `mlflow.log_metrics`, with the number of finished epochs as the step; backend, seed, loss and
    optimizer are logged as parameters, the spec as `experiment.json`.

    Raises:
        PackageNotInstalledError: mlflow is not installed.
    """

    first_worker_only = True

    def __init__(self) -> None:
        self._mlflow, self._own = _module("mlflow"), False

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        if self._mlflow.active_run() is None:
            self._mlflow.start_run()
            self._own = True
        self._mlflow.log_params(_facts(run))
        self._mlflow.log_text(run.experiment.to_json(), "experiment.json")

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        self._mlflow.log_metrics(with_rate(run, logs), step=epoch + 1)

    def on_train_end(self, run: Run) -> None:
        if self._own:
            self._mlflow.end_run("FINISHED" if run.finished else "FAILED")
            self._own = False


class WandbMetricsLogger(Callback):
    """Log losses, metrics and the rate of each epoch to the active run of Weights & Biases.

    Call `wandb.init()` first. Metrics have the names "epoch/loss" and the like, as in the callback
    of the same name for Keras.

    Raises:
        PackageNotInstalledError: wandb is not installed.
    """

    first_worker_only = True

    def __init__(self) -> None:
        self._wandb = _module("wandb")

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        if self._wandb.run is None:
            self._wandb.init()
        self._wandb.config.update(_facts(run), allow_val_change=True)

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        found = {f"epoch/{name}": value for name, value in with_rate(run, logs).items()}
        self._wandb.log({"epoch/epoch": epoch, **found})

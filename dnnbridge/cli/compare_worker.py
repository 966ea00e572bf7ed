"""`dnnbridge compare-worker`: the process that `compare` starts for each backend."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dnnbridge.cli.options import training_options

if TYPE_CHECKING:
    from dnnbridge import Callback, Experiment, Run
    from dnnbridge.training.history import Logs


@click.command("compare-worker", hidden=True)
@training_options
@click.option("--backend", required=True)
@click.option("--folder", type=click.Path(path_type=Path), required=True)
def compare_worker(
    file: Path,
    data: str,
    epochs: int,
    batch_size: int,
    device: str | None,
    backend: str,
    folder: Path,
) -> None:
    """Compile, report it on stdout, wait for a line on stdin, train, and record the training."""
    import sys
    import time

    from dnnbridge.cli.logs import shown_logs
    from dnnbridge.cli.workers import send
    from dnnbridge.datasets import adapt_to, load_dataset
    from dnnbridge.report import Recorder, Recording

    with shown_logs(err=False):
        experiment = _same_experiment(file, folder.parent / "experiment.json")
        start = time.perf_counter()
        run = _compiled(experiment, backend, device)
        seconds = time.perf_counter() - start
    dataset = adapt_to(experiment, load_dataset(data))
    send(ready=True)
    if not sys.stdin.readline():
        raise click.Abort
    recording = Recording(backend, run.device, _versions(backend), seconds, folder=folder)
    with shown_logs(err=False):
        run.fit(
            dataset.x_train,
            dataset.y_train,
            batch_size=batch_size,
            epochs=epochs,
            validation_data=(dataset.x_test, dataset.y_test),
            callbacks=[Recorder(recording), _sender()],
            verbose=0,
            on_nonfinite="warn",  # so that all backends run the same number of steps
        )


def _compiled(experiment: Experiment, backend: str, device: str | None) -> Run:
    """Compile; tell the parent of a device that is not there, so that it says so itself."""
    from dnnbridge import compile
    from dnnbridge.cli.workers import send
    from dnnbridge.errors import DeviceError

    try:
        return compile(experiment, backend, device)
    except DeviceError as error:
        send(refused=[error.what, error.where, error.got, error.hint])
        raise


def _same_experiment(file: Path, expected: Path) -> Experiment:
    """Read the file, which also defines its classes, and check that the experiment is the same."""
    from dnnbridge.cli.reading import read_experiment
    from dnnbridge.errors import SpecError

    experiment = read_experiment(file)
    if experiment.to_json() != expected.read_text():
        raise SpecError(
            "must define the same experiment each time it runs",
            where=str(file),
            got="a different one",
            hint="Remove random or time-dependent values.",
        )
    return experiment


def _sender() -> Callback:
    """Return a callback that reports progress to the parent process."""
    from dnnbridge.cli.workers import send
    from dnnbridge.training.callbacks import Callback
    from dnnbridge.training.history import numbers

    class Sender(Callback):
        total = 0

        def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
            self.total = epochs * steps_per_epoch

        def on_steps_end(self, run: Run, losses: list[float]) -> None:
            send(done=run.position.step, total=self.total)

        def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
            send(epoch=epoch + 1, logs=numbers(logs))

    return Sender()


def _versions(backend: str) -> dict[str, str]:
    """Return the versions of packages that affect the numbers."""
    import numpy as np

    from dnnbridge import __version__, available_backends

    framework = {b.name: b.version for b in available_backends() if b.name == backend and b.version}
    return framework | {"numpy": np.__version__, "dnnbridge": __version__}

"""`dnnbridge train`."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from dnnbridge.cli.options import EXISTING, WRITTEN, backend_option, training_options

if TYPE_CHECKING:
    from dnnbridge import Experiment, Run
    from dnnbridge.training.history import History


@click.command(short_help="Train an experiment and print its metrics.")
@training_options
@backend_option
@click.option("--seed", type=click.IntRange(min=0), help="Replace the seed of the experiment.")
@click.option(
    "--validation/--no-validation",
    default=True,
    show_default=True,
    help="Evaluate on the test data after every epoch.",
)
@click.option(
    "--sync-batch-norm/--no-sync-batch-norm",
    default=True,
    show_default=True,
    help="Whether each BatchNormalization has the statistics of the whole batch of all workers.",
)
@click.option("--resume", type=EXISTING, metavar="CHECKPOINT", help="Continue from this file.")
@click.option(
    "--backup",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Save after every epoch there. The same command then goes on after its process has died.",
)
@click.option("--save", type=WRITTEN, metavar="CHECKPOINT", help="Write the trained state.")
@click.option(
    "--on-nonfinite",
    type=click.Choice(["stop", "warn"]),
    default="stop",
    show_default=True,
    help="What to do if a loss or weight is infinite or NaN: stop with exit status 1, or only "
    "warn.",
)
@click.option(
    "--deterministic",
    is_flag=True,
    help="The same bits in every run on this machine: see docs/guide/reliability.md.",
)
@click.option("--quiet", is_flag=True, help="Print the final metrics only.")
def train(
    file: Path,
    data: str,
    epochs: int,
    batch_size: int,
    device: str | None,
    backend: str | None,
    seed: int | None,
    validation: bool,
    sync_batch_norm: bool,
    resume: Path | None,
    backup: Path | None,
    save: Path | None,
    on_nonfinite: Literal["stop", "warn"],
    deterministic: bool,
    quiet: bool,
) -> None:
    """Train the experiment of FILE and print its metrics on the test data.

    FILE is a Python file with an `experiment` at module level, or JSON of Experiment.to_json().

    Ctrl-C and SIGTERM end training after the current call. With --save, the state is then saved.
    The exit status is 130 or 143.
    """
    from dnnbridge.base.deterministic import DETERMINISTIC
    from dnnbridge.callbacks import BackupAndRestore, TerminateOnNonFinite
    from dnnbridge.cli.checking import check_backends, check_writable
    from dnnbridge.cli.logs import shown_logs
    from dnnbridge.cli.reading import read_experiment
    from dnnbridge.cli.stopping import saving
    from dnnbridge.cli.tables import say
    from dnnbridge.datasets import adapt_to, load_dataset
    from dnnbridge.training.checkpoint_file import check_name
    from dnnbridge.training.compiling import check_asked
    from dnnbridge.training.progress import describe

    if deterministic:
        os.environ[DETERMINISTIC] = "1"
    with shown_logs(logging.WARNING if quiet else logging.INFO):
        experiment = read_experiment(file)
        if seed is not None:
            experiment = experiment.replace(seed=seed)
        check_backends([backend] if backend is not None else [], device)
        check_asked(backend, device)
        check_writable("save", save)
        if save:
            check_name(save)
        dataset = adapt_to(experiment, load_dataset(data))
        run = _run(experiment, resume, backend, device, sync_batch_norm)
        test = (dataset.x_test, dataset.y_test)
        with saving(run, save):
            history = run.fit(
                dataset.x_train,
                dataset.y_train,
                batch_size=batch_size,
                epochs=epochs,
                validation_data=test if validation else None,
                verbose=0 if quiet else "auto",
                callbacks=[
                    *([TerminateOnNonFinite()] if on_nonfinite == "stop" else []),
                    *([BackupAndRestore(backup)] if backup else []),
                ],
                on_nonfinite=on_nonfinite,
            )
        if on_nonfinite == "stop":
            _check_finite(history)
        found = run.evaluate(*test)
        if not run.is_first_worker:
            return
        say(f"test  {describe(found)}")
        for name, value in found.items():
            if isinstance(value, list):
                click.echo("\n".join([name, *("  ".join(f"{x:g}" for x in row) for row in value)]))


def _check_finite(history: History) -> None:
    """Raise if the training stopped because a loss or weight was not finite."""
    from dnnbridge.errors import NonFiniteError
    from dnnbridge.training.nonfinite import HINT

    step = history.nonfinite_step
    if step is not None:
        found = history.nonfinite_what.partition(": ")[2]
        said = found or "the loss or the weights are not finite"
        what = f"training ended at step {step}: {said}"
        raise NonFiniteError(what, hint=HINT, step=step)


def _run(
    experiment: Experiment,
    resume: Path | None,
    backend: str | None,
    device: str | None,
    sync: bool,
) -> Run:
    """Return a new run, or the run of a checkpoint of the same experiment."""
    from dnnbridge import compile, load
    from dnnbridge.errors import CheckpointError

    if resume is None:
        return compile(experiment, backend, device, sync_batch_norm=sync)
    run = load(resume, backend, device, sync_batch_norm=sync)
    if run.experiment != experiment:
        saved, given = run.experiment.to_dict(), experiment.to_dict()
        fields = [name for name in given if saved[name] != given[name]]
        raise CheckpointError(
            "the checkpoint belongs to another experiment",
            where=str(resume),
            got=f"{' and '.join(fields)} different from FILE",
            hint="Resume with the same file and --seed as before.",
        )
    return run

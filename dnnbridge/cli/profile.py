"""`dnnbridge profile`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dnnbridge.cli.options import backend_option, training_options

if TYPE_CHECKING:
    from dnnbridge.training.profiling import Profile


@click.command(short_help="Show where a training spends its time.")
@training_options
@backend_option
def profile(
    file: Path, data: str, epochs: int, batch_size: int, device: str | None, backend: str | None
) -> None:
    """Train the experiment of FILE and show where a step spends its time.

    FILE is a Python file with an `experiment` at module level, or JSON of Experiment.to_json().
    One extra epoch is trained first, in which the steps are compiled.
    """
    from dnnbridge.cli.checking import check_backends
    from dnnbridge.cli.logs import shown_logs
    from dnnbridge.cli.reading import read_experiment
    from dnnbridge.datasets import adapt_to, load_dataset
    from dnnbridge.training.compiling import check_asked, choose_for, compile_for
    from dnnbridge.training.profiling import TimedBackend
    from dnnbridge.training.profiling import profile as profiled

    experiment = read_experiment(file)
    check_backends([backend] if backend is not None else [], device)
    check_asked(backend, device)
    dataset = adapt_to(experiment, load_dataset(data))
    with shown_logs():
        loaded, chosen = choose_for(experiment, backend, device)
        timed = TimedBackend(loaded)
        run = compile_for(timed, experiment, chosen)
    found = profiled(run, timed, dataset.x_train, dataset.y_train, batch_size, epochs)
    click.echo(f"{run.backend} on {run.device}, batches of {batch_size}")
    _print(found)


def _print(found: Profile) -> None:
    from rich.table import Table

    from dnnbridge.cli.tables import print_table, say

    backward = found.compiled - found.forward
    rows = [
        ("step", found.step),
        ("  compiled: forward, as evaluation", found.forward),
        ("  compiled: gradients and update", backward),
        ("  outside: batches, scalars, losses", found.outside),
    ]
    times = Table("")
    for name in ("ms", "share"):
        times.add_column(name, justify="right")
    for name, seconds in rows:
        times.add_row(name, f"{seconds * 1e3:.3f}", f"{seconds / found.step:.0%}")
    print_table(times)
    rate = found.flops / found.forward / 1e9 if found.forward else 0.0
    say(
        f"first call, which compiles: {found.first_call:.2f} s; {found.calls} calls an epoch of "
        f"{found.steps} steps; forward {found.flops / 1e6:.1f} MFLOP a batch, {rate:.1f} GFLOP/s"
    )
    say(f"weights and slots changed in place: {found.in_place}")
    say("operations of a step:")
    say("  " + ",  ".join(f"{n} {name}" for name, n in found.operations.items()))
    _print_choices()


def _print_choices() -> None:
    """Print the kernels chosen on this machine, if there was a choice."""
    from dnnbridge.backend.choosing import choices
    from dnnbridge.base.machine import machine
    from dnnbridge.cli.tables import say

    if choices():
        say(f"kernels chosen on {machine()}:")
    for choice in choices():
        say(f"  {choice}")

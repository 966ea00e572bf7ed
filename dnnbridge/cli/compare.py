"""`dnnbridge compare`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dnnbridge.cli.options import WRITTEN, training_options

if TYPE_CHECKING:
    from dnnbridge import Experiment
    from dnnbridge.cli.workers import Plan
    from dnnbridge.report import Comparison


@click.command(short_help="Train on several backends and compare the numbers.")
@training_options
@click.option(
    "--backends",
    metavar="A,B[,C]",
    help="Two or more backends. Differences of a pair are relative to the second.  "
    "[default: all that are installed]",
)
@click.option(
    "--report",
    type=WRITTEN,
    default=Path("dnnbridge-report.html"),
    show_default=True,
    help="The HTML report to write.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Workers that share each batch: processes, or on the reference threads.",
)
@click.option("--json", "json_file", type=WRITTEN, help="Also write every number as JSON.")
def compare(
    file: Path,
    data: str,
    epochs: int,
    batch_size: int,
    device: str | None,
    backends: str | None,
    report: Path,
    workers: int,
    json_file: Path | None,
) -> None:
    """Train the experiment of FILE on several backends and compare the numbers.

    Each backend trains in its own process, one after the other. Training starts after all of them
    have compiled the experiment.
    """
    from dnnbridge.base.packages import require_report
    from dnnbridge.cli.checking import check_backends, check_writable
    from dnnbridge.cli.logs import shown_logs
    from dnnbridge.cli.reading import read_experiment
    from dnnbridge.cli.workers import Plan
    from dnnbridge.datasets import adapt_to, load_dataset
    from dnnbridge.program.advice import advise

    with shown_logs():
        experiment = read_experiment(file)
        names = _names(backends)
        check_backends(names, device)
        require_report("An HTML report")
        check_writable("report", report)
        check_writable("json", json_file)
        adapt_to(experiment, load_dataset(data))
    advise(experiment.program())  # the workers' warnings are not shown
    plan = Plan(file, data, epochs, batch_size, device, workers)
    comparison = _train_and_compare(experiment, plan, names)
    _print(comparison)
    _write(comparison, f"{file.name} on {', '.join(names)}", report, json_file)


def _names(text: str | None) -> list[str]:
    """Return the requested backends: two or more, each once."""
    from dnnbridge.backend.plugins import available_backends
    from dnnbridge.errors import BackendError

    if text is None:
        names = [backend.name for backend in available_backends() if backend.installed]
    else:
        names = [name.strip() for name in text.split(",")]
    if len(names) < 2 or len(set(names)) < len(names):
        raise BackendError(
            "compare needs two or more different backends",
            where="backends",
            got=", ".join(names),
            hint="`dnnbridge backends` lists all backends.",
        )
    return names


def _train_and_compare(experiment: Experiment, plan: Plan, names: list[str]) -> Comparison:
    from dnnbridge.cli.workers import train_on_each
    from dnnbridge.report import compare

    settings = {"File": plan.file.name, "Data": plan.data, "Batch size": str(plan.batch_size)}
    settings |= {"Workers": str(plan.workers)} if plan.workers > 1 else {}
    with tempfile.TemporaryDirectory(prefix="dnnbridge-") as folder:
        return compare(experiment, settings, train_on_each(experiment, plan, names, Path(folder)))


def _print(comparison: Comparison) -> None:
    from dnnbridge.cli.tables import difference_table, epoch_table, print_table, say
    from dnnbridge.report import wording

    print_table(epoch_table(comparison), keys=2)
    print_table(difference_table(comparison), keys=2)
    say(wording.start(comparison))
    for pair in comparison.pairs:
        say(f"{pair.name}: {wording.verdict(pair)}")
    if explanation := wording.explanation(comparison):
        say(explanation)


def _write(comparison: Comparison, title: str, report: Path, json_file: Path | None) -> None:
    from dnnbridge.base.files import write_atomically
    from dnnbridge.report import render, to_json

    write_atomically(report, render(comparison, title).encode())
    click.echo(f"Report: {report}")
    if json_file:
        write_atomically(json_file, to_json(comparison).encode())
        click.echo(f"JSON: {json_file}")

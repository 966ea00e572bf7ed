"""`dnnbridge align`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from dnnbridge.cli.options import DATA_HELP, POSITIVE, WRITTEN

if TYPE_CHECKING:
    from dnnbridge import Alignment

TRACE = ".trace"


@click.command(short_help="Find where two trainings part, and why.")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path), required=False)
@click.option("--data", metavar="DATA", help=f"The training part is trained on: {DATA_HELP}")
@click.option("--steps", type=POSITIVE, default=20, show_default=True, help="Steps to compare.")
@click.option(
    "--batch-size", type=POSITIVE, default=32, show_default=True, help="Examples per step."
)
@click.option(
    "--backends",
    metavar="A[,B]",
    help='That of A and that of B, or one for both; "keras" runs a .keras file in Keras itself.  '
    "[default: keras for .keras files, else DNNBRIDGE_BACKEND, or the first that is installed]",
)
@click.option("--seed", type=click.IntRange(min=0), help="Replace the seed of the experiments.")
@click.option(
    "--validation/--no-validation",
    default=True,
    show_default=True,
    help="Also compare loss and metrics of the test part, of as many examples as are trained on.",
)
@click.option("--report", type=WRITTEN, metavar="FILE.html", help="Write a page about it.")
@click.option("--json", "json_file", type=WRITTEN, metavar="FILE", help="Also write it as JSON.")
@click.pass_context
def align(
    context: click.Context,
    /,
    a: Path,
    b: Path | None,
    data: str | None,
    report: Path | None,
    json_file: Path | None,
    **options: Any,
) -> None:
    """Find where the trainings of A and B part, stage by stage, and which argument makes it.

    A and B are each a Python or JSON file of an experiment, a checkpoint, or a .keras file. Both
    start from the weights of A and get the same batches. A alone is compared with itself on two
    backends. Two .trace files are compared as they are, without data.

    The exit status is 0 if they agree, 1 if they part, and 2 if they cannot be compared.
    """
    from dnnbridge.cli.checking import check_writable
    from dnnbridge.errors import DnnbridgeError

    for variable in ("TF_CPP_MIN_LOG_LEVEL", "GLOG_v"):  # the logs of TensorFlow and MindSpore
        os.environ.setdefault(variable, "3")
    traces = [path.suffix == TRACE for path in (a, b) if path is not None]
    try:
        check_writable("report", report)
        check_writable("json", json_file)
        if any(traces):
            given = [name for name in options if _is_given(context, name)]
            _check_traces(traces, [*given, *(["data"] if data else [])])
            found = _of_traces(a, b, report)
        else:
            found = _of_files(a, b, data, report, **options)
    except DnnbridgeError as error:
        click.echo(f"Error: {error}", err=True)
        raise click.exceptions.Exit(2) from error
    _show(found, report, json_file)


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) == ParameterSource.COMMANDLINE


def _of_files(
    a: Path, b: Path | None, data: str | None, report: Path | None, **options: Any
) -> Alignment:
    """Return the alignment of two files, and write its page."""
    from dnnbridge.base.packages import require_report
    from dnnbridge.cli.aligning import Settings, aligned, titled
    from dnnbridge.report.writing import write_report

    if report is not None:
        require_report("An HTML report")
    settings = Settings(data=data, **options)
    found = aligned(a, b, settings)
    if report is not None:
        write_report(found, report, title=titled(a, b, settings))
    return found


def _check_traces(traces: list[bool], given: list[str]) -> None:
    from dnnbridge.errors import ArgumentError

    if traces != [True, True]:
        raise ArgumentError(
            "a .trace file is compared with another .trace file",
            where="align",
            hint="Give two .trace files, or two files of trainings.",
        )
    if given:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise ArgumentError(
            "two .trace files hold all that is compared",
            where="align",
            got=names,
            hint="Leave the options out.",
        )


def _of_traces(a: Path, b: Path | None, report: Path | None) -> Any:
    """Return the alignment of two traces, and write its page if there is one."""
    from importlib import import_module

    from dnnbridge.errors import ArgumentError

    found = import_module("dnnbridge.doctor.traces").align_traces(a, b)
    if report is not None:
        write = getattr(found, "write_html", None)
        if write is None:
            raise ArgumentError(
                "two .trace files have no page",
                where="--report",
                hint="Leave it out; --json writes all numbers.",
            )
        write(report)
    return found


def _show(found: Any, report: Path | None, json_file: Path | None) -> None:
    """Print the answer, and end with its status."""
    from dnnbridge.base.files import write_atomically

    click.echo(str(found))
    if report is not None:
        click.echo(f"Report: {report}")
    if json_file is not None:
        write_atomically(json_file, found.to_json().encode())
        click.echo(f"JSON: {json_file}")
    if not found.agrees:
        raise click.exceptions.Exit(1)

"""`dnnbridge convert`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dnnbridge.cli.options import EXISTING, backend_option

if TYPE_CHECKING:
    from dnnbridge.cli.conversion_checks import Check
    from dnnbridge.cli.conversion_sources import Given


@click.command(short_help="Write a model in another format, and check it.")
@click.argument("source", type=EXISTING)
@click.option(
    "--to",
    "format",
    required=True,
    metavar="FORMAT",
    help='A format of Run.export, such as keras or saved_model; "mindspore" and "tensorflow" '
    "are those of plain Python source.",
)
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write; it is made if it is missing.",
)
@click.option("--weights", type=EXISTING, help="A .weights.h5 file, for a .json of Keras.")
@click.option(
    "--spec",
    type=EXISTING,
    help="JSON or .py of an Experiment: the model for a file of weights; else the loss and the "
    "optimizer, if SOURCE has none.",
)
@click.option(
    "--loss",
    "losses",
    multiple=True,
    help='The loss, if SOURCE has none: "mse"; for several outputs "name=mse", once for each.',
)
@click.option("--optimizer", help='The optimizer, if SOURCE has none, such as "adam".')
@click.option(
    "--input-shape",
    "shapes",
    multiple=True,
    help='Sizes of an example that SOURCE leaves open: "3,32,32"; for several inputs "name=3,32".',
)
@click.option("--data", type=EXISTING, help="An .npz with x, to predict it, and y, to train on it.")
@backend_option
def convert(
    source: Path,
    format: str,
    out: Path,
    weights: Path | None,
    spec: Path | None,
    losses: tuple[str, ...],
    optimizer: str | None,
    shapes: tuple[str, ...],
    data: Path | None,
    backend: str | None,
) -> None:
    """Write the model of SOURCE in another format, and compare both.

    SOURCE is a .keras or .h5 file, a .json of Keras with --weights, an .onnx file, or a checkpoint
    of dnnbridge. With --spec it can be a file of weights: a .ckpt of MindSpore, .safetensors, .npz,
    .weights.h5 or a checkpoint of TensorFlow.

    The folder also gets REPORT.md and report.json: what was read, how far the predictions and 50
    training steps differ, and which differences of the frameworks concern the model. The exit
    status is 1 if a check fails.
    """
    from dnnbridge.cli.conversion_sources import PREDICTING, Given, format_of
    from dnnbridge.cli.logs import shown_logs

    for variable in ("TF_CPP_MIN_LOG_LEVEL", "GLOG_v"):  # the logs of TensorFlow and MindSpore
        os.environ.setdefault(variable, "3")
    with shown_logs():
        name = format_of(format)
        trains = name not in PREDICTING
        given = Given(weights, spec, losses, optimizer, shapes, trains)
        target, checks = _converted(source, name, out, given, data, backend)
    for check in checks:
        click.echo(str(check))
    click.echo(f"{target}, {out / 'REPORT.md'}")
    if any(check.failed for check in checks):
        raise click.exceptions.Exit(1)


def _converted(
    source: Path, format: str, out: Path, given: Given, data: Path | None, backend: str | None
) -> tuple[Path, list[Check]]:
    """Write the file and the report; return the file and the comparisons."""
    from dnnbridge.cli.conversion_report import Conversion, report_of
    from dnnbridge.cli.conversion_sources import data_of, read_source
    from dnnbridge.cli.verification import verify
    from dnnbridge.training.exporting import FORMATS

    found = read_source(source, given, backend)
    arrays = data_of(found.run, data)
    out.mkdir(parents=True, exist_ok=True)
    present = found.run.optimizer
    target = found.run.export(out / f"model{FORMATS[format][0]}", format)
    checks = verify(found, format, target, arrays)
    conversion = Conversion(source.name, format, target, found, present, checks, arrays.name)
    for file, text in report_of(conversion).items():
        (out / file).write_text(text, encoding="utf-8")
    return target, checks

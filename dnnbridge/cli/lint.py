"""`dnnbridge lint`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command(short_help="List what a model meets in the other framework.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--to",
    type=click.Choice(["mindspore", "tensorflow"]),
    help="The other framework; by default the one that FILE does not come from.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of text.")
@click.option("--loss", help='A loss in place of that of FILE, such as "mse".')
@click.option("--optimizer", help='An optimizer in place of that of FILE, such as "adam".')
@click.option(
    "--input-shape",
    "shape",
    help='Sizes of an example that FILE leaves open: "3,32,32".',
)
def lint(
    file: Path,
    to: str | None,
    as_json: bool,
    loss: str | None,
    optimizer: str | None,
    shape: str | None,
) -> None:
    """List which known differences of MindSpore and Keras the model of FILE meets, worst first.

    FILE is a .keras, .h5 or .json file of Keras, a checkpoint, or a .json or .py file of an
    Experiment. Nothing is trained, and no framework is needed. The exit status is 0 if nothing was
    found, 1 if something was, and 2 if FILE cannot be read.
    """
    from dnnbridge.doctor.lint import lint as linted
    from dnnbridge.errors import DnnbridgeError

    try:
        found = linted(_thing(file), to, input_shapes=_shape(shape), loss=loss, optimizer=optimizer)
    except DnnbridgeError as error:
        click.echo(f"Error: {error}", err=True)
        raise click.exceptions.Exit(2) from error
    click.echo(found.to_json() if as_json else str(found))
    if not found.ok:
        raise click.exceptions.Exit(1)


def _thing(file: Path) -> Any:
    """Return the experiment of a Python file, or the path of another one."""
    if file.suffix != ".py":
        return file
    from dnnbridge.cli.reading import read_experiment

    return read_experiment(file)


def _shape(text: str | None) -> tuple[int, ...] | None:
    from dnnbridge.errors import ConversionError

    if text is None:
        return None
    try:
        return tuple(int(size) for size in text.split(","))
    except ValueError:
        raise ConversionError(
            "a shape is sizes without the batch",
            where="--input-shape",
            got=repr(text),
            hint="Write 3,32,32.",
        ) from None

"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]

POSITIVE = click.IntRange(min=1)
EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
WRITTEN = click.Path(dir_okay=False, path_type=Path)

DATA_HELP = """digits, mnist:PATH (a folder of IDX files or an .npz; "mnist" alone takes the path
from DNNBRIDGE_DATA), or PATH.npz with x_train, y_train, x_test and y_test, or x and y."""


backend_option = click.option(
    "--backend",
    help="A name of `dnnbridge backends`.  [default: DNNBRIDGE_BACKEND, or the first that is "
    "installed]",
)


device_option = click.option(
    "--device",
    help='cpu, gpu or ascend, or one of several: "gpu:1" is the second.  [default: '
    "DNNBRIDGE_DEVICE, or an accelerator if the framework sees one]",
)


def training_options(command: Command) -> Command:
    """Add the argument FILE and the options of a training."""
    for option in (
        device_option,
        click.option(
            "--batch-size", type=POSITIVE, default=32, show_default=True, help="Examples per step."
        ),
        click.option("--epochs", type=POSITIVE, default=5, show_default=True),
        click.option("--data", required=True, metavar="DATA", help=DATA_HELP),
        click.argument("file", type=EXISTING),
    ):
        command = option(command)
    return command

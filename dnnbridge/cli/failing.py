"""Turn errors of dnnbridge into one line on stderr and exit status 1."""

from __future__ import annotations

from typing import Any

import click

from dnnbridge.cli.stopping import stoppable
from dnnbridge.cli.warned import shown_warnings
from dnnbridge.errors import DnnbridgeError


class CleanErrors(click.Group):
    """A group whose commands print errors and warnings as one line, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with stoppable(), shown_warnings():
                return super().invoke(ctx)
        except DnnbridgeError as error:
            raise click.ClickException(str(error)) from error


def located(error: DnnbridgeError, place: str) -> DnnbridgeError:
    """Return the same error, located in a file.

    Example:
        >>> from dnnbridge.errors import SpecError
        >>> print(located(SpecError("unknown kind", where="loss", got="'L3'"), "a.json"))
        a.json: loss: unknown kind, got 'L3'.
    """
    return error.placed(f"{place}: {error.where}" if error.where else place)

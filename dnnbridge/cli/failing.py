"""Turn errors of dnnbridge into one line on stderr and exit status 1."""

from __future__ import annotations

import errno
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
        except (OSError, MemoryError) as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # nobody reads what is printed; click ends quietly
            raise click.ClickException(_of_system(error)) from error


def _of_system(error: OSError | MemoryError) -> str:
    """Return an error of the system in one line.

    Example:
        >>> _of_system(FileNotFoundError(2, "No such file or directory", "a.npz"))
        'a.npz: No such file or directory.'
    """
    if isinstance(error, MemoryError):
        said = str(error) or "no memory was left"
        return f"{said}. Use a smaller batch or model.".replace("..", ".")
    if error.filename is None or error.strerror is None:
        return f"{type(error).__name__}: {error}"
    return f"{error.filename}: {error.strerror}."


def located(error: DnnbridgeError, place: str) -> DnnbridgeError:
    """Return the same error, located in a file.

    Example:
        >>> from dnnbridge.errors import SpecError
        >>> print(located(SpecError("unknown kind", where="loss", got="'L3'"), "a.json"))
        a.json: loss: unknown kind, got 'L3'.
    """
    return error.placed(f"{place}: {error.where}" if error.where else place)

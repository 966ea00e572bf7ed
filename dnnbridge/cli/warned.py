"""Print each warning of dnnbridge as one line on stderr."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from dnnbridge.base.warning import DnnbridgeWarning


@contextmanager
def shown_warnings() -> Iterator[None]:
    """Print warnings of dnnbridge without their source location; show others as usual."""
    with warnings.catch_warnings():
        shown = warnings.showwarning

        def show(message: Any, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, DnnbridgeWarning):
                click.echo(f"warning: {message}", err=True)
            else:
                shown(message, category, *place, **more)

        warnings.simplefilter("always", DnnbridgeWarning)
        warnings.showwarning = show
        yield

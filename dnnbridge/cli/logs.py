"""Show the log messages of dnnbridge."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from dnnbridge.base.folding import folded, width_of


@contextmanager
def shown_logs(level: int = logging.INFO, err: bool = True) -> Iterator[None]:
    """Print log messages of dnnbridge from a level up to stderr or stdout."""
    logger = logging.getLogger("dnnbridge")
    handler, before = _Echo(err), logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


class _Echo(logging.Handler):
    def __init__(self, err: bool) -> None:
        super().__init__()
        self.err = err

    def emit(self, record: logging.LogRecord) -> None:
        warning = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        columns = width_of(sys.stderr if self.err else sys.stdout)
        click.echo(folded(warning + record.getMessage(), columns), err=self.err)

"""Show what dnnbridge logs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def shown_logs(level: int = logging.INFO, err: bool = True) -> Iterator[None]:
    """Print records of dnnbridge from a level on, as they come, to stderr or stdout."""
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
        click.echo(warning + record.getMessage(), err=self.err)

"""Handle Ctrl-C and SIGTERM: save the training and exit with the status of the signal."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dnnbridge import Run

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class Stopped(BaseException):
    """A signal has stopped the command; `told` if the user has seen a message."""

    def __init__(self, number: int, told: bool = False) -> None:
        self.number, self.told = number, told


class Interrupted(Stopped, KeyboardInterrupt):
    """Ctrl-C has stopped the command.

    After a plain KeyboardInterrupt in a text that `exec` runs, as of a dataclass, Python 3.11 ends
    by the signal and not with the exit status.
    """


@contextmanager
def stoppable() -> Iterator[None]:
    """Clean up and exit with status 130 on Ctrl-C, 143 on SIGTERM or 129 on SIGHUP."""
    try:
        with _asked_by_signals():
            yield
    except (KeyboardInterrupt, Stopped) as stop:
        if not (isinstance(stop, Stopped) and stop.told):
            click.echo("stopped", err=True)
        raise click.exceptions.Exit(128 + _number(stop)) from None


@contextmanager
def saving(run: Run, path: Path | None) -> Iterator[None]:
    """Save the run after the block, also if training is stopped or fails, and report it."""
    from dnnbridge.errors import DnnbridgeError

    try:
        yield
    except BaseException as error:
        stopped = isinstance(error, KeyboardInterrupt | Stopped)
        try:
            where = _save(run, path)
        except DnnbridgeError as failed:  # the error that came first is the one that is raised
            where = f"nothing was saved: {failed}"
        if stopped or path is not None:
            at = f"epoch {run.position.epoch + 1}, after step {run.position.step}"
            click.echo(f"stopped in {at}: {where}", err=True)
        if stopped:
            raise Stopped(_number(error), told=True) from None
        raise
    if path is not None:
        _save(run, path)


def _number(stop: BaseException) -> int:
    return stop.number if isinstance(stop, Stopped) else signal.SIGINT


def _save(run: Run, path: Path | None) -> str:
    if not run.position.step:
        return "no step was trained"
    if path is None:
        return "nothing was saved without --save"
    # The folder was there before the training; it must not be lost if the folder has vanished.
    written = run.save(path, make_folders=True)
    return f"saved {written}; continue with --resume {written}"


@contextmanager
def _asked_by_signals() -> Iterator[None]:
    """Raise `Stopped` for signals that would end the process; ignored signals stay ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    usual = (signal.SIG_DFL, signal.default_int_handler)
    before = {number: signal.getsignal(number) for number in numbers}
    taken = {number: handler for number, handler in before.items() if handler in usual}
    try:
        for number in taken:
            signal.signal(number, _stop)
        yield
    finally:
        for number, handler in taken.items():
            signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    raise (Interrupted if number == signal.SIGINT else Stopped)(number)

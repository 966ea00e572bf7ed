"""Show the progress of a training: a bar on a terminal, one line per epoch in a log."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TextIO

from dnnbridge.base.folding import folded
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.history import Logs, numbers

if TYPE_CHECKING:
    from rich.progress import Progress

    from dnnbridge.training.run import Run


def progress_callback(stream: TextIO | None = None) -> Callback:
    """Return a bar if the stream (stderr by default) is a terminal, else plain lines."""
    stream = stream or sys.stderr
    return ProgressBar() if stream.isatty() else PlainLines(stream)


def describe(logs: Logs) -> str:
    """Write the numbers of an epoch on one line."""
    return "  ".join(f"{name} {value:.4g}" for name, value in numbers(logs).items())


def epoch_line(epoch: int, epochs: int, logs: Logs, seconds: float | None = None) -> str:
    """Return the line that reports the results of an epoch, counted from 1.

    Example:
        >>> epoch_line(3, 10, {"loss": 0.123456}, seconds=1.25)
        'epoch 3/10  loss 0.1235  1.2 s'
    """
    line = f"epoch {epoch}/{epochs}  {describe(logs)}"
    return line if seconds is None else f"{line}  {seconds:.1f} s"


class PlainLines(Callback):
    """One line per epoch."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._start, self._epochs = time.perf_counter(), 0

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        self._start, self._epochs = time.perf_counter(), run.position.epoch + epochs

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        seconds, self._start = time.perf_counter() - self._start, time.perf_counter()
        line = epoch_line(epoch + 1, self._epochs, logs, seconds)
        print(line, file=self.stream, flush=True)


class ProgressBar(Callback):
    """A bar per epoch, with the last loss."""

    _bar: Progress

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

        bar = BarColumn(bar_width=None)  # fills the rest of the line
        columns = ("{task.description}", bar, MofNCompleteColumn(), TimeElapsedColumn())
        console = Console(stderr=True, highlight=False, markup=False)
        self._bar = Progress(*columns, console=console, transient=True, expand=True)
        self._steps, self._epochs = steps_per_epoch, run.position.epoch + epochs
        self._task = self._bar.add_task(self._name(run), total=steps_per_epoch)
        self._bar.start()

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        text = f"{self._name(run)}  loss {losses[-1]:.4g}"
        self._bar.update(self._task, description=text, completed=run.position.batch)

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        line = epoch_line(epoch + 1, self._epochs, logs)
        self._bar.console.print(folded(line, self._bar.console.width), soft_wrap=True)
        self._bar.reset(self._task, description=self._name(run))

    def _name(self, run: Run) -> str:
        """Return the name of the current epoch."""
        return f"epoch {min(run.position.epoch + 1, self._epochs)}/{self._epochs}"

    def on_train_end(self, run: Run) -> None:
        self._bar.stop()

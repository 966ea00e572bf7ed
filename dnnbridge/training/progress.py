"""Show how far a training is: a bar on a terminal, one line an epoch in a log."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TextIO

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


class PlainLines(Callback):
    """One line per epoch."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._start = time.perf_counter()

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        self._start = time.perf_counter()

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        seconds, self._start = time.perf_counter() - self._start, time.perf_counter()
        line = f"{run.backend}  epoch {epoch + 1}  {describe(logs)}  {seconds:.1f} s"
        print(line, file=self.stream, flush=True)


class ProgressBar(Callback):
    """A bar per epoch, with the last loss."""

    _bar: Progress

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

        columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        console = Console(stderr=True, highlight=False)
        self._bar = Progress(*columns, console=console, transient=True)
        self._steps = steps_per_epoch
        self._task = self._bar.add_task(run.backend, total=steps_per_epoch)
        self._bar.start()

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        text = f"{run.backend}  epoch {run.progress.epoch + 1}  loss {losses[-1]:.4f}"
        self._bar.update(self._task, description=text, completed=run.progress.batch)

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        line = f"{run.backend}  epoch {epoch + 1}  {describe(logs)}"
        self._bar.console.print(line, soft_wrap=True)
        self._bar.reset(self._task)

    def on_train_end(self, run: Run) -> None:
        self._bar.stop()

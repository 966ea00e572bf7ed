"""Show the progress of a training: a bar, a line that changes, or a line per epoch."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TextIO

from dnnbridge.base.folding import folded
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.history import Logs, numbers

if TYPE_CHECKING:
    from rich.progress import Progress

    from dnnbridge.training.fit_arguments import Verbose
    from dnnbridge.training.run import Run

PAUSE = 0.1
"""Seconds between two pictures of the same epoch."""


def progress_callbacks(verbose: Verbose) -> list[Callback]:
    """Return what shows the progress of `fit`, for a valid value of its argument `verbose`."""
    if not verbose:
        return []
    if verbose == 2:
        return [PlainLines(sys.stderr)]
    if in_notebook():
        return [LiveLine(sys.stdout)]
    if sys.stderr.isatty():
        return [ProgressBar()]
    return [PlainLines(sys.stderr) if verbose == "auto" else LiveLine(sys.stderr)]


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"


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


def duration(seconds: float) -> str:
    """Return a time to read: of a step, of an epoch, or what is left.

    Example:
        >>> duration(0.00042), duration(0.25), duration(12.3), duration(312), duration(7260)
        ('0.42 ms', '250 ms', '12 s', '5:12', '2:01:00')
    """
    if seconds < 1:
        return f"{1000 * seconds:.2g} ms" if seconds < 0.1 else f"{1000 * seconds:.0f} ms"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class AbstractProgress(Callback):
    """Base of what shows progress: it knows the epochs, the steps, and how long they take."""

    first_worker_only = True

    _epochs = _steps = _first = 0
    _start = _shown = 0.0

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        self._epochs, self._steps = run.position.epoch + epochs, steps_per_epoch

    def on_epoch_begin(self, run: Run, epoch: int) -> None:
        self._start, self._first = time.perf_counter(), run.position.batch

    def seconds(self) -> float:
        """Return the seconds since the epoch began."""
        return time.perf_counter() - self._start

    def name(self, run: Run) -> str:
        """Return the name of the current epoch."""
        return f"epoch {min(run.position.epoch + 1, self._epochs)}/{self._epochs}"

    def due(self, run: Run) -> bool:
        """Return whether to show the epoch anew."""
        now = time.perf_counter()
        if now - self._shown < PAUSE and run.position.batch != self._steps:
            return False
        self._shown = now
        return True

    def numbers(self, run: Run) -> str:
        """Return the time of a step and what is left, the learning rate, the loss and metrics."""
        batch, rate = run.position.batch, run.learning_rate
        step = self.seconds() / max(batch - self._first, 1)
        left = duration(step * max(self._steps - batch, 0))
        shown = [f"{duration(step)}/step", *([f"{left} left"] if batch < self._steps else [])]
        shown += [] if rate is None else [f"rate {rate:.3g}"]
        return "  ".join([*shown, describe(run.epoch_logs)])


class PlainLines(AbstractProgress):
    """One line per epoch."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        line = epoch_line(epoch + 1, self._epochs, logs, self.seconds())
        print(line, file=self.stream, flush=True)


class LiveLine(PlainLines):
    """A line that changes while an epoch runs, and stays when it is done."""

    _width = 0

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        if self.due(run):
            steps = f"{run.position.batch}/{self._steps}" if self._steps else run.position.batch
            self._show(f"{self.name(run)}  {steps}  {self.numbers(run)}")

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        self._show(epoch_line(epoch + 1, self._epochs, logs, self.seconds()))
        print(file=self.stream, flush=True)
        self._width = 0

    def _show(self, text: str) -> None:
        """Write over the line; spaces hide the rest of a longer one."""
        print("\r" + text.ljust(self._width), end="", file=self.stream, flush=True)
        self._width = len(text)

    def on_train_end(self, run: Run) -> None:
        if self._width:
            print(file=self.stream, flush=True)


class ProgressBar(AbstractProgress):
    """A bar per epoch, with the time of a step, the rate, the loss and metrics."""

    _bar: Progress

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress

        super().on_train_begin(run, epochs, steps_per_epoch)
        columns = (MofNCompleteColumn(), BarColumn(bar_width=20), "{task.description}")
        console = Console(stderr=True, highlight=False, markup=False)
        self._bar = Progress(*columns, console=console, transient=True)
        self._task = self._bar.add_task(self.name(run), total=steps_per_epoch or None)
        self._bar.start()

    def on_steps_end(self, run: Run, losses: list[float]) -> None:
        if self.due(run):
            text = f"{self.name(run)}  {self.numbers(run)}"
            self._bar.update(self._task, description=text, completed=run.position.batch)

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        line = epoch_line(epoch + 1, self._epochs, logs, self.seconds())
        self._bar.console.print(folded(line, self._bar.console.width), soft_wrap=True)
        self._bar.reset(self._task, description=self.name(run))

    def on_train_end(self, run: Run) -> None:
        self._bar.stop()

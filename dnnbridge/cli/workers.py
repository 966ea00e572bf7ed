"""Train on each backend in its own process and receive its progress."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from dnnbridge.base.folding import folded, width_of
from dnnbridge.errors import BackendError, DeviceError
from dnnbridge.experiment import Experiment
from dnnbridge.report import Recording
from dnnbridge.training.progress import epoch_line

MARK = "\x1e"
"""First character of a line with a JSON event (RFC 7464); other lines are shown unchanged."""

TAIL = 15
"""Number of last lines of stderr that an error shows."""

Event = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """The settings of every worker."""

    file: Path
    data: str
    epochs: int
    batch_size: int
    device: str | None


def train_on_each(
    experiment: Experiment, plan: Plan, backends: Sequence[str], folder: Path
) -> list[Recording]:
    """Start a process per backend; after all have compiled, train one after the other.

    Raises:
        DeviceError: a backend does not see the device.
        BackendError: a process failed; the message has the end of its stderr.
    """
    (folder / "experiment.json").write_text(experiment.to_json())
    with ExitStack() as stack:
        report = stack.enter_context(_progress(backends, plan.epochs))
        workers = [stack.enter_context(_worker(plan, name, folder, report)) for name in backends]
        for worker in workers:
            worker.wait_until_ready()
        for worker in workers:
            worker.train()
    return [Recording.read(folder / name) for name in backends]


def send(**event: Any) -> None:
    """Send an event from a worker to the parent process."""
    print(f"{MARK}{json.dumps(event)}", flush=True)


class _Worker:
    """A process and its output."""

    def __init__(
        self,
        backend: str,
        process: subprocess.Popen[str],
        errors: Path,
        report: Callable[[str, Event | str], None],
    ) -> None:
        self.backend, self.process, self.errors = backend, process, errors
        self.report = report

    def wait_until_ready(self) -> None:
        for event in self._events():
            if event.get("ready"):
                return
            if event.get("refused"):
                what, where, got, hint = event["refused"]
                raise DeviceError(what, where=where, got=got, hint=hint)
        raise self._failure()

    def train(self) -> None:
        assert self.process.stdin is not None
        if self.process.poll() is None:
            self.process.stdin.write("train\n")
            self.process.stdin.flush()
        for event in self._events():
            self.report(self.backend, event)
        if self.process.wait():
            raise self._failure()

    def _events(self) -> Iterator[Event]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(MARK):
                yield json.loads(line[1:])
            else:
                self.report(self.backend, line.rstrip())

    def _failure(self) -> BackendError:
        status = self.process.wait()
        got = f"exit status {status}" if status >= 0 else f"signal {-status}"
        lines = self.errors.read_text("utf-8", "replace").splitlines()[-TAIL:]
        return BackendError(
            "the training process failed",
            where=self.backend,
            got=got,
            hint="\n".join(["The end of its output:", *(f"  {line}" for line in lines)]),
        )


@contextmanager
def _worker(
    plan: Plan, backend: str, folder: Path, report: Callable[[str, Event | str], None]
) -> Iterator[_Worker]:
    """Start a process, and kill it if it still runs when the comparison ends."""
    own = folder / backend
    own.mkdir()
    command = [sys.executable, "-P", "-m", "dnnbridge", "compare-worker", str(plan.file)]
    command += ["--backend", backend, "--data", plan.data, "--epochs", str(plan.epochs)]
    command += ["--batch-size", str(plan.batch_size), "--folder", str(own)]
    command += ["--device", plan.device] if plan.device is not None else []
    errors = own / "stderr.txt"
    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        try:
            yield _Worker(backend, process, errors, report)
        finally:
            process.kill()


@contextmanager
def _progress(backends: Sequence[str], epochs: int) -> Iterator[Callable[[str, Event | str], None]]:
    """Show a bar per backend on a terminal, or lines with epoch and backend in a log."""
    longest = max(map(len, backends))
    columns = width_of(sys.stderr)

    def line(backend: str, event: Event | str) -> str:
        if isinstance(event, dict):
            event = epoch_line(event["epoch"], epochs, event["logs"])
        return folded(f"{backend:{longest}}  {event}", columns, " " * (longest + 2))

    if not sys.stderr.isatty():
        yield (
            lambda backend, event: (
                None if "done" in event else click.echo(line(backend, event), err=True)
            )
        )
        return

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

    made = ("{task.description}", BarColumn(None), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True, highlight=False)
    with Progress(*made, console=console, expand=True) as bar:
        tasks = {name: bar.add_task(name, total=None) for name in backends}

        def show(backend: str, event: Event | str) -> None:
            if isinstance(event, dict) and "done" in event:
                bar.update(tasks[backend], completed=event["done"], total=event["total"])
            else:
                bar.console.print(line(backend, event), markup=False, soft_wrap=True)

        yield show

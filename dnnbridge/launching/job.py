"""`Job`: the workers of one training on this host, from their start to their end."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from dnnbridge.base.cluster import Cluster
from dnnbridge.errors import RunError
from dnnbridge.launching.alarm import Alarm, Heard
from dnnbridge.launching.guard import Guard
from dnnbridge.launching.worker import Worker

log = logging.getLogger(__name__)

ATTEMPT = "DNNBRIDGE_ATTEMPT"
"""Environment variable of a worker: how often the job was started before; 0 the first time."""

GRACE = 5.0
"""Seconds that a worker has to end after SIGTERM, before SIGKILL."""

LEAVE = 30.0
"""Seconds that all workers have to end after Ctrl-C or SIGTERM: they save before that."""

PAUSE = 0.05
"""Seconds between two looks at the workers."""

THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
"""Variables that share the processors of a host among its workers, unless they are set."""


@dataclass(frozen=True)
class Job:
    """What to run on this host.

    Attributes:
        command: of each worker.
        clusters: makes the workers of this host, each with its addresses; called at each start.
        restarts: how often all workers are started again after one has failed.
        logs: folder for the lines of the workers that are not shown.
        alarm: makes the link to the launches of the other hosts, if there are any.
    """

    command: Sequence[str]
    clusters: Callable[[], Sequence[Cluster]]
    restarts: int = 0
    logs: Path | None = None
    alarm: Callable[[], AbstractContextManager[Alarm | None]] = nullcontext

    def run(self) -> None:
        """Run until all workers have ended without an error.

        Raises:
            RunError: a worker failed, more often than `restarts`; it names the first that did.
        """
        with self.alarm() as alarm:
            for attempt in range(self.restarts + 1):
                try:
                    self._attempt(attempt, alarm)
                    return
                except RunError as error:
                    if attempt == self.restarts:
                        raise
                    log.warning("%s", error)
                    log.warning("all workers start again (%d of %d)", attempt + 1, self.restarts)

    def _attempt(self, attempt: int, alarm: Alarm | None) -> None:
        if alarm:
            alarm.begin(attempt)
        clusters = self.clusters()
        workers: list[Worker] = []
        with Guard() as guard, _passed_on(workers) as stopping:
            try:
                for cluster in clusters:
                    workers.append(self._started(cluster, len(clusters), attempt))
                    guard.watch(workers[-1].pid)
                self._watch(workers, clusters[0].seconds, stopping, alarm)
            finally:
                _end(workers)
                for worker in workers:
                    guard.forget(worker.pid)

    def _started(self, cluster: Cluster, count: int, attempt: int) -> Worker:
        threads = str(max(1, (os.cpu_count() or 1) // count))
        environment = dict.fromkeys(THREADS, threads) | dict(os.environ) | cluster.environment()
        environment[ATTEMPT] = str(attempt)
        if self.logs:
            self.logs.mkdir(parents=True, exist_ok=True)
        file = self.logs / f"worker-{cluster.rank}.log" if self.logs else None
        return Worker(cluster.rank, self.command, environment, cluster.rank == 0, file)

    def _watch(
        self,
        workers: list[Worker],
        seconds: float,
        stopping: list[int],
        alarm: Alarm | None,
    ) -> None:
        """Wait until all workers have ended, or raise when one fails or does not end."""
        while True:
            ended = [(each.ended, each) for each in workers if each.ended is not None]
            failed = [(when, each.rank, each) for when, each in ended if each.failed]
            if stopping:
                _wait(workers, LEAVE)
                raise SystemExit(128 + stopping[0])
            if alarm and (heard := alarm.heard):
                raise _elsewhere(heard)
            if failed:
                error = _failure(min(failed)[2], workers)
                if alarm:
                    alarm.tell(str(error))
                raise error
            if len(ended) == len(workers):
                return
            if ended and time.monotonic() - min(when for when, _ in ended) > seconds:
                raise _late([each for each in workers if each.ended is None], seconds)
            time.sleep(PAUSE)


def _failure(worker: Worker, workers: Sequence[Worker]) -> RunError:
    worker.finish()
    said = "".join(f"\n  {line}" for line in worker.lines)
    return RunError(
        f"worker {worker.rank} of {len(workers)} on this host failed, so the others were ended",
        where=f"process {worker.pid}",
        got=worker.how() + (f". Its last lines:{said}" if said else ""),
    )


def _elsewhere(heard: Heard) -> RunError:
    return RunError(
        "the job failed on another host, so the workers of this one were ended",
        where=f"host {heard.host}",
        got=heard.text.rstrip("."),
    )


def _late(workers: Sequence[Worker], seconds: float) -> RunError:
    return RunError(
        f"{seconds:g} s after the first worker had ended, others still ran",
        where="launch",
        got=", ".join(f"worker {each.rank}, process {each.pid}" for each in workers),
        hint="All workers must train the same steps. A longer --timeout waits for what follows.",
    )


@contextmanager
def _passed_on(workers: list[Worker]) -> Iterator[list[int]]:
    """Pass Ctrl-C and SIGTERM on to the workers; yield a list that gets the signal."""
    got: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        got.append(number)
        for worker in workers:
            worker.send(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield got
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(workers: Sequence[Worker]) -> None:
    """End the workers that still run, and what they have started."""
    for worker in workers:
        if worker.ended is None:
            worker.send(signal.SIGTERM)
    _wait(workers, GRACE)
    for worker in workers:
        worker.send(signal.SIGKILL)
        worker.finish()


def _wait(workers: Sequence[Worker], seconds: float) -> None:
    """Wait until all workers have ended, at most so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and any(worker.ended is None for worker in workers):
        time.sleep(PAUSE)

"""What each of two workers of a launch does: python -m scaling.worker BACKEND FOLDER.

Worker 0 writes `FOLDER/BACKEND.json`: seconds of a step, by what was measured, for each turn. All
turns are in this one process, and every case has its turn before a case has the next.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.backend.workers import Workers
from dnnbridge.base.cluster import this_cluster
from dnnbridge.training.dividing import compile_part
from scaling.nets import NETS, Net
from scaling.sums import FACTOR, NUMBERS, SUM, sum_program
from scaling.times import STEPS, SUMS
from scaling.together import Together

TURNS, REPEATS = 15, 20
"""Turns of each case, and sums of a turn."""

SIZES = (1, 2**10, 2**14, 2**16, 2**18, 2**19, 2**20)
"""Numbers of float32 in a sum that is timed."""

PARTS = (1, 2, 8)
"""The batch of all workers is divided by these for the steps of one worker."""

ALIKE = {"tensorflow": {"DNNBRIDGE_TENSORFLOW_XLA": "0"}}
"""Variables with which one worker has the kernels of two: XLA compiles no sums over workers."""

Case = tuple[str, str, Callable[[], float]]
"""Its name; who does it: "first" worker or "both"; what returns the seconds of a step."""


def cases_of(net: Net, backend: str) -> Iterable[Case]:
    """Yield the cases of a net: one worker, both without sums, both together."""
    shared = db.compile(net.experiment(), backend)
    with _environment(ALIKE.get(backend, {})):
        alone = db.compile(net.experiment(), backend, workers=1)
    for part in PARTS:
        yield f"one {net.batch // part}", "first", _fitting(alone, net, net.batch // part)
    yield f"beside {net.batch // 2}", "both", _fitting(alone, net, net.batch // 2)
    for rows in (net.batch, 2 * net.batch):
        yield f"two {rows}", "both", _fitting(shared, net, rows)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables that decide how a run is compiled, and take them back."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _fitting(run: Any, net: Net, rows: int) -> Callable[[], float]:
    x, y = net.data(rows * STEPS)

    def seconds() -> float:
        begun = time.perf_counter()
        run.fit(x, y, rows, epochs=1, verbose=0, steps_per_call=STEPS)
        return (time.perf_counter() - begun) / STEPS

    return seconds


def sums_of(backend: str, rank: int) -> Iterable[Case]:
    """Yield sums over both workers, and what is left of them with one."""
    loaded = load_backend(backend)
    for size in SIZES:
        for name, made in (
            ("one", loaded.compile(sum_program(size, shared=False), "cpu")),
            ("two", compile_part(loaded, sum_program(size), "cpu", Workers(2, rank))),
        ):
            yield f"{name} {4 * size}", "first" if name == "one" else "both", _summing(made, size)


def _summing(made: Any, size: int) -> Callable[[], float]:
    factors = np.full(REPEATS, 0.5, np.float32)

    def seconds() -> float:
        made.write({NUMBERS: np.ones(size, np.float32)})
        begun = time.perf_counter()
        made.run(SUM, {FACTOR: factors}, REPEATS)
        return (time.perf_counter() - begun) / REPEATS

    return seconds


def measured(cases: Iterable[Case], together: Together) -> dict[str, list[float]]:
    """Return the seconds of each case in each turn; the first turn, which compiles, is left out."""
    known = list(cases)
    seconds: dict[str, list[float]] = {name: [] for name, _, _ in known}
    for turn in range(TURNS + 1):
        for name, who, time_of in known:
            together.meet()
            if who == "both" or together.rank == 0:
                taken = time_of()
                if turn:
                    seconds[name].append(taken)
            together.meet()
    return seconds


def main(backend: str, folder: Path) -> None:
    """Measure the nets and the sums."""
    cluster = this_cluster()
    assert cluster is not None
    together = Together(folder, cluster.rank, cluster.count)
    load_backend(backend)  # TensorFlow meets the others before its first operation
    made = {SUMS: measured(sums_of(backend, cluster.rank), together)}
    for name, net in NETS.items():
        made[name] = measured(cases_of(net, backend), together)
        if cluster.rank == 0:
            print(backend, name, os.environ["OMP_NUM_THREADS"], "thread", flush=True)
    if cluster.rank == 0:
        (folder / f"{backend}.json").write_text(json.dumps(made), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

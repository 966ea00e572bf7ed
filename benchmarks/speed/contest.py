"""Run the contestants of a framework in turns, in a separate process; print JSON."""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from speed.report import OURS
from speed.workloads import WORKLOADS, Workload

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend

Epoch = Callable[[], object]


def ours(framework: str) -> Callable[[Workload], Epoch]:
    """Return the contestant that runs an epoch of `Run.fit`."""

    def make(work: Workload) -> Epoch:
        x, y = work.data(framework)
        run = db.compile(work.experiment(), backend=framework)
        return lambda: run.fit(x, y, work.batch, work.epochs[framework], verbose=0)

    return make


def contestants(framework: str, work: Workload) -> dict[str, Callable[[Workload], Epoch]]:
    """Return the contestants for a workload by name, ours first."""
    rivals = importlib.import_module(f"speed.with_{framework}").CONTESTANTS
    if not work.xla:
        rivals = {name: make for name, make in rivals.items() if "XLA" not in name}
    return ({} if framework == "torch" else {OURS: ours(framework)}) | rivals


def take_turns(framework: str, work: Workload, names: list[str], rounds: int) -> dict[str, Any]:
    """Return milliseconds per step in every round, by contestant."""
    known = contestants(framework, work)
    epochs = {name: known[name](work) for name in names or known}
    times: dict[str, list[float]] = {name: [] for name in epochs}
    for epoch in epochs.values():
        epoch()
        if work.all_steps(framework) > 10:
            epoch()  # some contestants compile again at their second call
    for _ in range(rounds):
        for name, epoch in epochs.items():
            start = time.perf_counter()
            epoch()
            times[name].append((time.perf_counter() - start) / work.all_steps(framework) * 1e3)
    return times


def first(framework: str, work: Workload, name: str) -> dict[str, float]:
    """Return the seconds from the spec to the end of the first step."""
    work = replace(work, steps={framework: 1})
    make = contestants(framework, work)[name]
    if name == OURS:  # import first, as the others have already imported the framework
        _ = load_backend(framework), db.compile
    start = time.perf_counter()
    make(work)()
    return {"first_step": time.perf_counter() - start}


def peak(framework: str, work: Workload, name: str) -> dict[str, float]:
    """Return the peak memory in MiB."""
    epoch = contestants(framework, work)[name](work)
    for _ in range(3):
        epoch()
    return {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


if __name__ == "__main__":
    framework, name, mode, *rest = sys.argv[1:]
    work = WORKLOADS[name]
    if mode == "turns":
        found: Any = take_turns(framework, work, rest[1:], int(rest[0]))
    else:
        found = {"first": first, "peak": peak}[mode](framework, work, rest[0])
    print(json.dumps(found))

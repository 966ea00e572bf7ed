"""Run the checks of a backend in several processes, each with a share of them."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from dnnbridge.backend.protocol import Variant
from dnnbridge.errors import BackendError
from dnnbridge.testing.checks import Check
from dnnbridge.testing.recorded import read
from dnnbridge.testing.running import Conformance


def share(checks: Sequence[Check], number: int, count: int) -> list[Check]:
    """Return the checks of one of several processes; checks that belong together stay together.

    Example:
        >>> from dnnbridge.testing.checks import all_checks
        >>> sum(len(share(all_checks(), k, 3)) for k in range(3)) == len(all_checks())
        True
    """
    groups: dict[object, list[Check]] = {}
    for check in checks:
        groups.setdefault(check.together or check, []).append(check)
    return list(itertools.chain(*list(groups.values())[number::count]))


def ask_in_processes(
    command: Sequence[str],
    checks: Sequence[Check],
    jobs: int,
    folder: Path,
    variant: Variant | None = None,
) -> Conformance:
    """Run a command once per process, each with its share of checks, and merge the results.

    Args:
        command: arguments of `dnnbridge conformance` that name one backend and the checks.
        checks: all checks, in the order of the result.
        jobs: number of processes.
        folder: folder for their files.
        variant: variant of the backend, whose environment the processes have.

    Raises:
        BackendError: a process ended without a result; the message has the end of its output.
    """
    with ExitStack() as ending:
        started = []
        for k in range(jobs):
            started.append(_start([*command, "--share", f"{k}/{jobs}"], folder / str(k), variant))
            ending.callback(started[-1].kill)  # does nothing if the process has ended
        ended = [process.wait() for process in started]
    found = []
    for k in range(jobs):
        written = folder / f"{k}.json"
        if not written.exists():
            tail = (folder / f"{k}.txt").read_text(errors="replace")[-1500:]
            raise BackendError(f"a suite process failed with status {ended[k]}", got=tail.strip())
        found += read(written)
    order = {(check.area, check.id): k for k, check in enumerate(checks)}
    outcomes = itertools.chain(*(each.outcomes for each in found))
    ordered = sorted(outcomes, key=lambda outcome: order[outcome.area, outcome.id])
    name = variant.name if variant else ""
    return replace(found[0], outcomes=tuple(ordered), variant=name)


def _start(
    arguments: Sequence[str], stem: Path, variant: Variant | None
) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-P", "-m", "dnnbridge", *arguments, "--json", f"{stem}.json"]
    environment = os.environ | dict(variant.environment if variant else ())
    with Path(f"{stem}.txt").open("wb") as log:
        process = subprocess.Popen(program, stdout=log, stderr=subprocess.STDOUT, env=environment)
    if variant and variant.cores and hasattr(os, "sched_setaffinity"):
        usable = sorted(os.sched_getaffinity(0))  # set before the process imports the framework
        os.sched_setaffinity(process.pid, usable[: variant.cores])
    return process

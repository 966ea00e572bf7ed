"""Compile subjects for a simulated Ascend processor, in children with a stub of CANN."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ascend.ir import PASSES

MEMORY = 12_000_000 * 1024
"""Bytes of address space of a child: a program that needs more is a fault."""

SECONDS = 600
"""Time for one subject, after which a child is killed; it ignores SIGTERM."""

CHUNK = 60
"""Subjects of a child, whose memory grows with each."""

ROOT = Path(__file__).parents[2]

Row = dict[str, Any]


def compile_all(
    names: Sequence[str],
    variables: dict[str, str],
    folder: Path,
    done: Callable[[Row], None] = lambda row: None,
) -> list[Row]:
    """Compile the named subjects, one after the other; return a row for each.

    Args:
        names: names of subjects.
        variables: result of `stub_cann.build`.
        folder: folder for files.
        done: called with each row as soon as it is known.
    """
    waiting, made = list(names), []
    while waiting:
        chunk = waiting[:CHUNK]
        for row in _of_child(chunk, variables, folder):
            made.append(row)
            waiting.remove(row["name"])
            done(row)
    return made


def _of_child(chunk: list[str], variables: dict[str, str], folder: Path) -> Iterator[Row]:
    """Yield the rows of a child; if it dies, the last is of the subject that ended it."""
    listed, graphs = folder / "names.json", folder / "graphs"
    listed.write_text(json.dumps(chunk))
    graphs.mkdir(exist_ok=True)
    command = [sys.executable, str(Path(__file__).with_name("compiling.py")), listed, graphs]
    with (folder / "errors.txt").open("wb") as errors:
        child = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment(variables) | {"MS_DEV_SAVE_GRAPHS_PATH": str(graphs)},
            preexec_fn=limited,
        )
        begun = ""
        try:
            for line in _lines(child):
                if not line.startswith("{"):
                    continue
                row = json.loads(line)
                begun = "" if "status" in row else row["name"]
                if not begun:
                    yield row
        finally:
            child.kill()
            child.wait()
            if child.stdout:
                child.stdout.close()
    if begun or child.returncode not in (0, -signal.SIGKILL):
        text = (folder / "errors.txt").read_text(errors="replace")
        lines = [line for line in text.splitlines() if line.strip()]
        if not begun:
            raise RuntimeError(f"the child of the simulation did not start: {lines[-12:]}")
        end = f"the process ended with {child.returncode}: {' '.join(lines[-2:])[:400]}"
        yield {"name": begun, "status": "failed", "faults": [end], "primitives": {}}


def _lines(child: subprocess.Popen[str]) -> Iterator[str]:
    """Yield the lines of a child, and kill it if the next one does not come in time."""
    assert child.stdout is not None
    while True:
        timer = threading.Timer(SECONDS, child.kill)
        timer.start()
        try:
            line = child.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            return
        yield line


def environment(variables: dict[str, str]) -> dict[str, str]:
    """Return the environment of a child."""
    paths = [variables["PYTHONPATH"], str(ROOT), str(ROOT / "backends"), str(ROOT / "tests")]
    given = os.environ.get("PYTHONPATH", "")
    joined = os.pathsep.join([*paths, *filter(None, [given])])
    return {**os.environ, **variables, **PASSES, "PYTHONPATH": joined, "OMP_NUM_THREADS": "1"}


def limited() -> None:
    """Limit the memory of a child before it starts."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

"""Kill trainings at random moments and let them go on: python killing.py BACKEND KILLS [SEED].

The framework is imported once. Each training is a fork of this process, made before any operation,
as frameworks do not survive a fork after one. A training is killed until it comes to its end. Then
its weights must be those of an undisturbed one, bit for bit. It prints the counts as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend

EPOCHS, BATCH, EXAMPLES = 6, 8, 78
"""60 steps; the last batch of an epoch has 6 examples."""

LONGEST = 120.0
"""Seconds after which a training hangs."""

LATE, AFTER = 0.75, 0.4
"""How many of the kills wait for the first backup of the process, and the most seconds after it.

The others come at any moment from the start on, where most of the time a framework compiles.
"""


def experiment() -> db.Experiment:
    """Every kind of state: slots, dropout, running statistics, a rate that hears the metrics."""
    layers = [db.Dense(16, "tanh"), db.BatchNormalization(), db.Dropout(0.2), db.Dense(3)]
    model = db.Sequential([db.Input((6,)), *layers])
    rate = db.Plateau(0.01, factor=0.5, patience=1, monitor="val_loss", min_delta=0.05)
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    return db.Experiment(model, loss, db.Adam(rate), metrics=["accuracy"])


def train(backend: str, folder: Path) -> None:
    """Train, or go on from the backup in the folder, and write all arrays and logs there."""
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(EXAMPLES, 6)).astype(np.float32), rng.integers(0, 3, EXAMPLES)
    run = db.compile(experiment(), backend)
    run.fit(
        x,
        y,
        BATCH,
        EPOCHS,
        validation_data=(x[:20], y[:20]),
        callbacks=[db.BackupAndRestore(folder / "backup", save_freq=4)],
        verbose=0,
    )
    logs = {f"log {name}": [row[name] for row in run.logs] for name in run.logs[0]}
    np.savez(folder / "part.npz", **run.state(), **logs)
    os.replace(folder / "part.npz", folder / "end.npz")


def forked(backend: str, folder: Path) -> int:
    """Start a training, and return its process."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        train(backend, folder)
        status = 0
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)


def ended(child: int, seconds: float, done: Callable[[], bool] = lambda: False) -> int | None:
    """Return the status of a process that ends within so many seconds; None if it does not.

    Args:
        child: the process.
        seconds: how long to wait.
        done: ends the waiting when it becomes true.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until and not done():
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    return None


def written(file: Path) -> int:
    """Return a number that changes whenever a file is written."""
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _is_new(file: Path, before: int) -> bool:
    return written(file) != before


def kill(child: int) -> int:
    """Kill a process unless it has ended, and return its status."""
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def whole(backend: str, folder: Path) -> tuple[dict[str, np.ndarray], float]:
    """Train without disturbance, and return all arrays and the seconds that it took."""
    begun = time.monotonic()
    status = ended(forked(backend, folder), LONGEST)
    assert status == 0, f"the undisturbed training ended with {status}"
    return arrays_in(folder), time.monotonic() - begun


def arrays_in(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "end.npz") as file:
        return {name: file[name] for name in file.files}


def trials(backend: str, kills: int, seed: int) -> Counter[str]:
    """Kill trainings until there are so many kills, and count what became of them."""
    draws, found = random.Random(seed), Counter[str]()
    load_backend(backend)
    with tempfile.TemporaryDirectory() as folder:
        # NumPy may run before a fork, so that the forks find everything imported and emitted.
        (base := Path(folder) / "whole").mkdir()
        train("reference", base)
        expected, seconds = whole(backend, base)
        while found["kills"] < kills:
            (own := Path(folder) / f"{found['trainings']}").mkdir()
            left = kills - found["kills"]
            found["trainings"] += 1
            found[_killed_until_done(backend, own, left, seconds, draws, found)] += 1
            if (own / "end.npz").exists():
                found["as undisturbed"] += _same(arrays_in(own), expected)
            found["files left"] += len(list((own / "backup").iterdir()))
    return found


def _killed_until_done(
    backend: str,
    folder: Path,
    most: int,
    seconds: float,
    draws: random.Random,
    found: Counter[str],
) -> str:
    """Start a training again and again, and kill it at most so often; return its end in words."""
    backup = folder / "backup" / "backup.safetensors"
    for killed in range(most + 1):
        before = written(backup)
        child = forked(backend, folder)
        if killed == most:
            status = ended(child, LONGEST)
        elif draws.random() < LATE:
            status = ended(child, LONGEST, partial(_is_new, backup, before))
            status = ended(child, draws.uniform(0, AFTER)) if status is None else status
        else:
            status = ended(child, draws.uniform(0, seconds))
        status = kill(child) if status is None else status
        if status != -signal.SIGKILL:
            return "done" if status == 0 else f"status {status}"
        if killed < most:
            found["kills"] += 1
            found["kills with a backup"] += backup.exists()
    return "hang"


def _same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> bool:
    return found.keys() == expected.keys() and all(
        np.array_equal(found[name], value) for name, value in expected.items()
    )


if __name__ == "__main__":
    number = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    print(json.dumps(trials(sys.argv[1], int(sys.argv[2]), number)))

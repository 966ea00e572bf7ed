"""Measure what `Experiment(remat=…)` saves in memory and costs in time.

    python benchmarks/rematerialisation.py [tensorflow …]

Each training runs in a process of its own. Memory is the growth of the peak of the resident set
from before the first step to the end, so it includes the compilation. Time is that of the fastest
of several epochs, per step. The table has both without and with rematerialisation of every block,
and the largest difference of the weights at the end.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

import dnnbridge as db
from dnnbridge.base.machine import machine

STEPS, EPOCHS = 2, 3


def _dense() -> tuple[db.AbstractModel, int]:
    """12 blocks, 64 to 512 and back, with a normalisation."""

    def block(k: int) -> db.AbstractModel:
        layers = [db.LayerNormalization(), db.Dense(512, "gelu"), db.Dense(64)]
        return db.Sequential([db.Input((64,)), *layers], name=f"block_{k}")

    return db.Sequential([db.Input((64,)), *map(block, range(12)), db.Dense(4)]), 8192


def _images() -> tuple[db.AbstractModel, int]:
    """8 blocks of two convolutions of 24 channels on images of 48 × 48, with batch statistics."""

    def block(k: int) -> db.AbstractModel:
        layers = [
            db.Conv2D(24, 3, padding="same", activation="gelu"),
            db.BatchNormalization(),
            db.Conv2D(24, 3, padding="same", activation="tanh"),
        ]
        return db.Sequential([db.Input((48, 48, 24)), *layers], name=f"block_{k}")

    ends = db.GlobalAveragePooling2D(), db.Dense(4)
    return db.Sequential([db.Input((48, 48, 24)), *map(block, range(8)), *ends]), 32


MODELS: dict[str, Callable[[], tuple[db.AbstractModel, int]]] = {
    "dense": _dense,
    "images": _images,
}


def measure(backend: str, name: str, remat: bool) -> dict[str, object]:
    """Train, and return MB, seconds per step, and the weights."""
    model, batch = MODELS[name]()
    experiment = db.Experiment(
        model, "mse", db.SGD(0.01), remat=("block_*",) if remat else (), seed=1
    )
    rng, (shape,) = np.random.default_rng(0), (t.shape for t in model.input_types.values())
    x = rng.normal(size=(STEPS * batch, *shape[1:])).astype(np.float32)
    y = rng.normal(size=(STEPS * batch, 4)).astype(np.float32)
    run = db.compile(experiment, backend=backend, device="cpu")
    before, times = _peak(), []
    for epoch in range(EPOCHS):
        start = time.perf_counter()
        run.fit(x, y, batch_size=batch, epochs=epoch + 1, verbose=0)
        times.append((time.perf_counter() - start) / STEPS)
    weights = {key: np.asarray(array, float).tolist() for key, array in run.parameters().items()}
    return {"memory": _peak() - before, "time": min(times[1:]), "weights": weights}


def _peak() -> float:
    """Return the largest resident set so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _in_a_process(backend: str, name: str, remat: bool) -> dict[str, object]:
    command = [sys.executable, __file__, "--one", backend, name, str(int(remat))]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(made.stdout.splitlines()[-1])
    return found


def main(backends: list[str]) -> None:
    """Print the table."""
    print(machine(), "\n")
    print("| backend | net | memory, MB | with remat | step, s | with remat | difference |")
    print("|---|---|---|---|---|---|---|")
    for backend in backends:
        for name in MODELS:
            plain, again = (_in_a_process(backend, name, remat) for remat in (False, True))
            pairs = zip(plain["weights"].values(), again["weights"].values(), strict=True)
            error = max(float(np.abs(np.subtract(a, b)).max()) for a, b in pairs)
            numbers = [f"{each['memory']:.0f}" for each in (plain, again)]
            numbers += [f"{each['time']:.2f}" for each in (plain, again)]
            print(f"| {backend} | {name} | {' | '.join(numbers)} | {error:.1e} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(sys.argv[2], sys.argv[3], sys.argv[4] == "1")))
    else:
        main(sys.argv[1:] or ["tensorflow"])

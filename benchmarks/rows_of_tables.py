"""Time a training step of a large Embedding: updated by rows, as a whole, and in Keras.

    python benchmarks/rows_of_tables.py tensorflow [--rows 1000000] [--keras]

All are timed in turns in one run, so that other load on the machine does not change the ratios.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

import dnnbridge as db
from dnnbridge.backend import row_updates
from dnnbridge.base.machine import machine

FEATURES, BATCH, WORDS, TURNS = 64, 256, 20, 5

OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "SGD": lambda: db.SGD(0.1),
    "Adagrad": lambda: db.optimizers.Adagrad(0.1),
    "LazyAdam": lambda: db.optimizers.LazyAdam(0.001),
    "Adam": lambda: db.Adam(0.001),
}
"""Adam changes every row at every step, as its moments decay; it is here for comparison."""


def data(rows: int, steps: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.integers(0, rows, (BATCH * steps, WORDS)).astype(np.int32)
    return x, rng.normal(size=(BATCH * steps, 1)).astype(np.float32)


def ours(backend: str, rows: int, optimizer: Any, least: int, steps: int) -> Callable[[], float]:
    """Return a function that trains for some steps and returns the seconds per step."""
    row_updates.LEAST = least
    layers = db.Embedding(rows, FEATURES), db.GlobalAveragePooling1D(), db.Dense(1)
    model = db.Sequential([db.Input((WORDS,), "int32"), *layers])
    run = db.compile(db.Experiment(model, db.MeanSquaredError(), optimizer), backend)
    x, y = data(rows, steps)
    run.fit(x, y, BATCH, verbose=0)

    def turn() -> float:
        start = time.perf_counter()
        run.fit(x, y, BATCH, verbose=0)
        return (time.perf_counter() - start) / steps

    return turn


def in_keras(rows: int, name: str, steps: int) -> Callable[[], float]:
    """Return the same for Keras, whose `fit` runs an epoch in one compiled call."""
    import keras

    layers = keras.layers.Embedding(rows, FEATURES), keras.layers.GlobalAveragePooling1D()
    model = keras.Sequential([keras.Input((WORDS,), dtype="int32"), *layers, keras.layers.Dense(1)])
    optimizer = getattr(keras.optimizers, name.removeprefix("Lazy"))(0.1)
    model.compile(optimizer, "mse", steps_per_execution=steps)
    x, y = data(rows, steps)
    model.fit(x, y, BATCH, verbose=0)

    def turn() -> float:
        start = time.perf_counter()
        model.fit(x, y, BATCH, verbose=0)
        return (time.perf_counter() - start) / steps

    return turn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("backend")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--optimizers", default=",".join(OPTIMIZERS))
    parser.add_argument("--keras", action="store_true")
    options = parser.parse_args()
    print(machine(), f"{options.rows} x {FEATURES}, batches of {BATCH} x {WORDS}", sep="\n")
    for name in options.optimizers.split(","):
        make = OPTIMIZERS[name]
        turns = {
            "by rows": ours(options.backend, options.rows, make(), 0, 64),
            "as a whole": ours(options.backend, options.rows, make(), 2**62, 4),
        }
        if options.keras:
            turns["Keras"] = in_keras(options.rows, name, 4)
        found: dict[str, list[float]] = {key: [] for key in turns}
        for _ in range(TURNS):
            for key, turn in turns.items():
                found[key].append(turn())
        ms = {key: 1e3 * median(values) for key, values in found.items()}
        text = ", ".join(
            f"{key} {value:.2f} ms ({value / ms['by rows']:.1f})" for key, value in ms.items()
        )
        print(f"{name}: {text}", flush=True)


if __name__ == "__main__":
    main()

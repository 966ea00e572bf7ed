"""Time a training step of a table of many rows against one of few."""

from __future__ import annotations

import time
from statistics import median

import numpy as np

import dnnbridge as db
from dnnbridge import optimizers
from dnnbridge.errors import SpecError
from dnnbridge.specs.spec import family_of

FEATURES, WORDS, BATCH, STEPS, TURNS = 16, 20, 256, 128, 3

ROWS = (10_000, 1_000_000)

MORE = 4_000_000
"""Rows of a further table, which `SGD` updates by rows."""

OPTIMIZERS = {
    "SGD": lambda: db.SGD(0.1),
    "SGD with momentum": lambda: db.SGD(0.1, momentum=0.9),
    "Adagrad": lambda: optimizers.Adagrad(0.1),
    "LazyAdam": lambda: optimizers.LazyAdam(0.001),
    "Adam": lambda: db.Adam(0.001),
}


def step(backend: str, name: str, rows: int) -> dict[str, float]:
    """Return the seconds of a step, the median of some epochs.

    Args:
        backend: its name.
        name: one of `OPTIMIZERS`.
        rows: of the table.
    """
    rng = np.random.default_rng(0)
    x = rng.integers(0, rows, (BATCH * STEPS, WORDS)).astype(np.int32)
    y = rng.normal(size=(BATCH * STEPS, 1)).astype(np.float32)
    layers = db.Embedding(rows, FEATURES), db.GlobalAveragePooling1D(), db.Dense(1)
    model = db.Sequential([db.Input((WORDS,), "int32"), *layers])
    run = db.compile(db.Experiment(model, "mse", OPTIMIZERS[name]()), backend)
    run.fit(x, y, BATCH, verbose=0)
    found = []
    for _ in range(TURNS):
        start = time.perf_counter()
        run.fit(x, y, BATCH, verbose=0)
        found.append((time.perf_counter() - start) / STEPS)
    return {"seconds": median(found)}


def that_leave_rows() -> list[str]:
    """Return the names of the optimizers that, by default, update only the rows that are read."""
    classes = [getattr(optimizers, name) for name in optimizers.__all__]
    made = [cls for cls in classes if isinstance(cls, type) and family_of(cls) == "optimizer"]
    return sorted(cls.__name__ for cls in made if _leaves(cls))


def _leaves(cls: type) -> bool:
    try:
        return bool(cls().leaves_rows)
    except (TypeError, SpecError):  # one that is made from others, and has no defaults
        return False

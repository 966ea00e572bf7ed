"""Time what each callback adds to a training step of an MLP of 784-100-10, batch 50.

    python benchmarks/callbacks.py tensorflow [--rounds 25] [--only Trace,every_steps]

In each round every callback trains one epoch, and the run without callbacks two, all in another
order. The table has the median ratio within a round, of the time and of the processor's time, and
the quartiles of the second, which other load on the machine disturbs less. The first row compares
the two epochs without callbacks: this is the noise.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

import dnnbridge as db
from dnnbridge.base.machine import machine

BATCH, STEPS = 50, 512


class EveryHundredSteps(db.Callback):
    """Hears of every hundredth step, and does nothing."""

    every_steps = 100


class EveryTenSteps(db.Callback):
    """Hears of every tenth step, and does nothing."""

    every_steps = 10


class EverySteps(db.Callback):
    """Hears of each step, and does nothing."""

    every_steps = 1


def _nothing(*_: object) -> None:
    return None


def callbacks(folder: Path) -> Mapping[str, Callable[[], db.Callback]]:
    """Return a maker of each callback; files go to the folder."""
    made: dict[str, Callable[[], db.Callback]] = {
        "EarlyStopping": lambda: db.EarlyStopping("loss", patience=9),
        "EarlyStopping, restore_best_weights": lambda: db.EarlyStopping(
            "loss", patience=9, restore_best_weights=True
        ),
        "ReduceLROnPlateau": lambda: db.ReduceLROnPlateau("loss", patience=9),
        "LearningRateScheduler": lambda: db.LearningRateScheduler(lambda epoch, rate: rate),
        "CSVLogger": lambda: db.CSVLogger(folder / "log.csv"),
        "LambdaCallback of epochs": lambda: db.LambdaCallback(on_epoch_end=_nothing),
        "TerminateOnNonFinite": db.TerminateOnNonFinite,
        "TerminateOnNonFinite, locate=False": lambda: db.TerminateOnNonFinite(locate=False),
        "ModelCheckpoint": lambda: db.ModelCheckpoint(folder / "run.safetensors"),
        "ModelCheckpoint, background=True": lambda: db.ModelCheckpoint(
            folder / "behind.safetensors", background=True
        ),
        "BackupAndRestore": lambda: db.BackupAndRestore(folder / "backup.safetensors"),
        "Trace, every=100": lambda: db.Trace(folder / "a.trace"),
        "Trace, every=100, rounding=False": lambda: db.Trace(folder / "b.trace", rounding=False),
        "Trace, every=10": lambda: db.Trace(folder / "c.trace", 10),
        "every_steps = 100": EveryHundredSteps,
        "every_steps = 10": EveryTenSteps,
        "every_steps = 1": EverySteps,
        "LambdaCallback of batches": lambda: db.LambdaCallback(on_train_batch_end=_nothing),
    }
    return made


def epoch(run: db.Run, x: np.ndarray, y: np.ndarray, hooks: list[db.Callback]) -> np.ndarray:
    """Train one epoch; return the microseconds of a step, and those of the processor."""
    begun = np.array([time.perf_counter(), time.process_time()])
    run.fit(x, y, BATCH, callbacks=hooks, verbose=0)
    return 1e6 * (np.array([time.perf_counter(), time.process_time()]) - begun) / STEPS


def measured(
    backend: str, rounds: int, only: list[str]
) -> tuple[list[np.ndarray], dict[str, list[np.ndarray]]]:
    """Return the times without callbacks, and the ratios of each callback in every round."""
    rng = np.random.default_rng(0)
    x = rng.random((BATCH * STEPS, 784), np.float32)
    y = rng.integers(0, 10, BATCH * STEPS)
    model = db.Sequential([db.Input((784,)), db.Dense(100, "relu"), db.Dense(10)])
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    run = db.compile(db.Experiment(model, loss, db.SGD(1e-3, momentum=0.9)), backend)
    order = random.Random(0)
    alone: list[np.ndarray] = []
    found: dict[str, list[np.ndarray]] = {}
    with tempfile.TemporaryDirectory() as folder:
        every = callbacks(Path(folder))
        makers = {n: make for n, make in every.items() if any(word in n for word in only)}
        for number in range(rounds + 1):  # the first one compiles
            names = [*makers, "none", "none again"]
            order.shuffle(names)
            times = {n: epoch(run, x, y, [makers[n]()] if n in makers else []) for n in names}
            if number:
                alone.append(times["none"])
                for name in (*makers, "none again"):
                    found.setdefault(name, []).append(times[name] / times["none"])
    return alone, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("backend")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--only", default="", help="words in the names of callbacks, with commas")
    options = parser.parse_args()
    alone, found = measured(options.backend, options.rounds, options.only.split(","))
    print(machine(), f"{options.backend}, {options.rounds} rounds of {STEPS} steps", sep="\n")
    whole, own = np.median(alone, axis=0)
    print(f"without callbacks: {whole:.0f} µs a step, {own:.0f} µs of the processor")
    for name in sorted(found, key=lambda n: n != "none again"):
        ratios = np.array(found[name])
        low, middle, high = np.quantile(ratios[:, 1], (0.25, 0.5, 0.75))
        print(f"{name:38} {np.median(ratios[:, 0]):6.2f} {middle:6.2f}   {low:.2f} to {high:.2f}")


if __name__ == "__main__":
    main()

"""A training that `dnnbridge launch` starts: python program.py BACKEND FOLDER [PLAN].

It writes `FOLDER/N.npz` for worker N. PLAN is "kill": worker 1 kills itself in the third epoch of
the first attempt. "devices": three devices of one process share each batch.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

import dnnbridge as db

EPOCHS, BATCH, EXAMPLES = 4, 8, 78
"""40 steps; the last batch of an epoch has 6 examples, which 4 workers cannot share evenly."""


def experiment():
    """Two branches share a normalisation, so that a derivative has independent sums."""
    given, normalised = db.Input((6, 6, 2)), db.BatchNormalization()
    smooth = db.Conv2D(4, 3, activation="tanh", kernel_regularizer=db.L2(1e-2))
    # A bias before a normalisation has gradient 0, of which Adam would follow the rounding.
    plain = db.Conv2D(4, 3, use_bias=False)
    both = db.Add()([normalised(smooth(given)), normalised(plain(given))])
    flat = db.Flatten()(db.Dropout(0.3)(both))
    model = db.Model(given, db.Dense(3, activity_regularizer=db.L2(0.1))(flat))
    return db.Experiment(
        model,
        db.SparseCategoricalCrossentropy(from_logits=True),
        db.Adam(0.01),
        metrics=["accuracy"],
        weighted_metrics=["accuracy"],
        gradients=[db.ClipByGlobalNorm(0.5)],
    )


def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(EXAMPLES, 6, 6, 2)).astype(np.float32)
    return x, rng.integers(0, 3, EXAMPLES), np.linspace(0.5, 2.0, EXAMPLES)


class _Kill(db.Callback):
    """Kill worker 1 in its third epoch, once."""

    def __init__(self, folder):
        self.file = folder / "killed"

    def on_steps_end(self, run, losses):
        if run.position.epoch == 2 and not self.file.exists():
            self.file.write_text(str(time.time()))
            os.kill(os.getpid(), signal.SIGKILL)


def train(run, folder=None, plan=""):
    """Train, and return every number that must not depend on the number of workers."""
    x, y, weights = data()
    callbacks = []
    if folder is not None:
        callbacks.append(db.BackupAndRestore(folder / "backup"))
        callbacks.append(db.CSVLogger(folder / "log.csv"))
    if plan == "kill" and os.environ.get("DNNBRIDGE_RANK") == "1":
        callbacks.append(_Kill(folder))
    history = run.fit(
        x,
        y,
        BATCH,
        EPOCHS,
        verbose=0,
        sample_weight=weights,
        callbacks=callbacks,
        validation_data=(x[:21], y[:21]),
        steps_per_call=3,
    )
    logs = {f"log {name}": [row[name] for row in run.logs] for name in run.logs[0]}
    found = {f"evaluated {k}": v for k, v in run.evaluate(x, y, 32).items()}
    return {
        "step losses": history.step_losses[-10:],
        "predicted": run.predict(x[:5]),
        **logs,
        **found,
        **run.state(),
    }


def main(backend, folder, plan=""):
    folder, begun = Path(folder), time.time()
    run = db.compile(experiment(), backend, workers=3 if plan == "devices" else None)
    made = train(run, folder, plan)
    run.save(folder / "run.safetensors")
    rank = os.environ.get("DNNBRIDGE_RANK", "0")
    np.savez(folder / f"{rank}.npz", begun=begun, workers=run.workers, **made)


if __name__ == "__main__":
    main(*sys.argv[1:])

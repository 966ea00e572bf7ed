"""Train for many steps with all that a long training has: callbacks, checkpoints, validation."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import dnnbridge as db
from endurance.sampling import Sample, Sampler

BATCH = 16


def dense() -> db.Experiment:
    """Return a small multilayer perceptron with dropout and momentum."""
    layers = [db.Input((8,)), db.Dense(32, "relu"), db.Dropout(0.1), db.Dense(3)]
    return _experiment(db.Sequential(layers), db.SGD(0.01, momentum=0.9))


def convolutional() -> db.Experiment:
    """Return a small net with a convolution, a pool, and running statistics."""
    layers = [
        db.Input((8, 8, 1)),
        db.Conv2D(8, 3, activation="relu"),
        db.BatchNormalization(),
        db.MaxPooling2D(2),
        db.Flatten(),
        db.Dense(3),
    ]
    return _experiment(db.Sequential(layers), db.Adam(1e-3))


def _experiment(model: db.AbstractModel, optimizer: db.AbstractOptimizer) -> db.Experiment:
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    return db.Experiment(model, loss, optimizer, metrics=["accuracy"])


NETS = {"dense": dense, "convolutional": convolutional}


class Watch(db.Callback):
    """Takes a sample at the end of each epoch."""

    def __init__(self) -> None:
        self.sampler = Sampler()

    def on_epoch_end(self, run: db.Run, epoch: int, logs: Any) -> None:
        self.sampler.take(run.position.step)


def callbacks(folder: Path) -> list[db.Callback]:
    """Return the callbacks of a long training; their files go to the folder."""
    made: list[db.Callback] = [
        db.EarlyStopping("val_loss", patience=10**9, restore_best_weights=True),
        db.ReduceLROnPlateau("val_loss", patience=10**9),
        db.ModelCheckpoint(folder / "best.safetensors", save_best_only=True),
        db.ModelCheckpoint(folder / "last.safetensors"),
        db.CSVLogger(folder / "log.csv"),
        db.TerminateOnNonFinite(),
    ]
    try:
        import tensorboardX as tensorboardX
    except ImportError:
        return made
    return [*made, db.TensorBoard(folder / "logs", histogram_freq=1)]


def train(backend: str, net: str, steps: int, per_epoch: int) -> list[Sample]:
    """Train a net and return a sample for each epoch, and one after the training."""
    experiment = NETS[net]()
    rng = np.random.default_rng(0)
    (shape,) = (each.shape for each in experiment.model.input_types.values())
    x = rng.normal(size=(BATCH * per_epoch, *shape[1:])).astype(np.float32)
    y = rng.integers(0, 3, len(x))
    run = db.compile(experiment, backend)
    watch = Watch()
    with tempfile.TemporaryDirectory() as folder:
        run.fit(
            x,
            y,
            BATCH,
            steps // per_epoch,
            (x[:256], y[:256]),
            callbacks=[*callbacks(Path(folder)), watch],
            verbose=0,
        )
    watch.sampler.take(run.position.step + 1)
    return watch.sampler.samples

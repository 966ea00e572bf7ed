"""What reads each kind of file, as `child.py` and the tests call it."""

from __future__ import annotations

import ctypes
import pickle
import time
from pathlib import Path

import numpy as np

import dnnbridge as db
from dnnbridge.datasets.idx import read_idx
from dnnbridge.datasets.loading import load_dataset
from dnnbridge.formats.traces.reading import read_trace
from dnnbridge.report.trained import read_trained


def _experiment(path: Path) -> None:
    experiment = db.Experiment.from_json(path.read_text("utf-8", "replace"))
    assert db.Experiment.from_json(experiment.to_json()) == experiment


def _trace(path: Path) -> None:
    found = read_trace(path)
    for number, step in found.steps.items():
        for stage, where in step.tensors:
            found.tensor(number, stage, where)
    db.inspect(path)


def _checkpoint(path: Path) -> None:
    db.load(path, "reference")


def _csv(path: Path) -> None:
    rows = read_trained(path).rows
    assert all(np.isscalar(value) for row in rows for value in row.values())


def _shards(path: Path) -> None:
    for rows in db.Shards({"x": path} if path.suffix == ".npy" else path).values():
        assert len(rows[:]) == len(rows)


PARSERS = {
    "experiment.json": _experiment,
    "run.safetensors": _checkpoint,
    "run.inspected.safetensors": db.inspect,
    "weights.safetensors": db.read_weights,
    "labels.idx": lambda path: read_idx(path, 1),
    "images.idx.gz": lambda path: read_idx(path, 3),
    "data.npz": lambda path: load_dataset(str(path)),
    "weights.npz": db.read_weights,
    "shard.npz": _shards,
    "shard.npy": _shards,
    "shard.safetensors": _shards,
    "model.keras": db.from_keras,
    "model.inspected.keras": db.inspect,
    "model.json": db.from_keras,
    "model.h5": db.from_keras,
    "model.weights.h5": db.read_weights,
    "cell.ckpt": db.read_weights,
    "model.onnx": db.from_onnx,
    "model.inspected.onnx": db.inspect,
    "training.trace": _trace,
    "log.csv": _csv,
}
"""The reader of each file of `valid_files`, by its name."""


def _hang(path: Path) -> None:
    time.sleep(60)


SABOTAGE = {
    "sabotage.crash": lambda path: ctypes.string_at(0),
    "sabotage.hang": _hang,
    "sabotage.memory": lambda path: np.empty(1 << 40, np.uint8),
    "sabotage.foreign": lambda path: {}["x"],
    "sabotage.pickle": lambda path: pickle.loads(pickle.dumps(Path)),
}
"""What the tests must notice."""

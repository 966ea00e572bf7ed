"""A small valid file of each kind that is read, as a start for damaged ones."""

from __future__ import annotations

import gzip
import importlib
import json
import shutil
import struct
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

import dnnbridge as db

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(12, 4)).astype(np.float32), np.arange(12) % 3


def experiment() -> db.Experiment:
    """Return an experiment with kinds of all families, lists, texts, schedules and a pattern."""
    layers = [
        db.Input((4,)),
        db.Dense(5, "relu", kernel_regularizer=db.L2(1e-4), name="hidden"),
        db.BatchNormalization(),
        db.Dropout(0.25),
        db.Sequential([db.Input((5,)), db.Dense(3)], name="last"),
    ]
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = db.WithGradientRules(db.Adam(db.CosineDecay(0.01, 50)), [db.ClipByGlobalNorm(1.0)])
    return db.Experiment(db.Sequential(layers), loss, optimizer, ["accuracy"], frozen=("hidden/*",))


def write_all(folder: Path) -> None:
    """Write every file of `PARSERS` whose packages are installed."""
    made = experiment()
    (folder / "experiment.json").write_text(made.to_json())
    run = db.compile(made, "reference")
    run.fit(X, Y, 4, 2, callbacks=[db.CSVLogger(folder / "log.csv")], verbose=0)
    run.save(folder / "run.safetensors")
    shutil.copy(folder / "run.safetensors", folder / "run.inspected.safetensors")
    shutil.copy(folder / "run.safetensors", folder / "weights.safetensors")
    arrays = {"x_train": X, "y_train": Y, "x_test": X, "y_test": Y}
    np.savez_compressed(folder / "data.npz", **arrays)
    np.savez(folder / "weights.npz", **run.weights())
    rows = {"x": np.ones((3, 2), np.float32), "y": np.arange(3)}
    np.savez(folder / "shard.npz", **rows)
    np.save(folder / "shard.npy", rows["x"])
    save_file(rows, folder / "shard.safetensors", {"seed": "0"})
    _idx(folder)
    (folder / "cell.ckpt").write_bytes(b"".join(map(_value, run.weights().items())))
    tracing = importlib.import_module("doctor.tracing_nets")
    tracing.record(folder / "training.trace", tracing.mlp(), epochs=1, tensors=("last",))
    _keras(folder, run)
    if importlib.util.find_spec("onnx"):
        graphs = importlib.import_module("convert.onnx_graphs")
        (folder / "model.onnx").write_bytes(graphs.saved(folder, "transformer").read_bytes())
        shutil.copy(folder / "model.onnx", folder / "model.inspected.onnx")


def _idx(folder: Path) -> None:
    (folder / "labels.idx").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 12, *range(12)]))
    images = bytes([0, 0, 8, 3]) + struct.pack(">3I", 12, 3, 3) + bytes(range(108))
    (folder / "images.idx.gz").write_bytes(gzip.compress(images, mtime=0))


def _value(item: tuple[str, np.ndarray]) -> bytes:
    """Return an array as a `.ckpt` file has it."""
    name, array = item
    sizes = b"".join(b"\x08" + bytes([n]) for n in array.shape)
    numbers = array.astype("<f4").tobytes()
    tensor = sizes + _field(2, b"Float32") + _field(3, numbers)
    return _field(1, _field(1, name.encode()) + _field(2, tensor))


def _field(number: int, content: bytes) -> bytes:
    size, length = len(content), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


def _keras(folder: Path, run: db.Run) -> None:
    import h5py

    path = run.export(folder / "model.keras")
    shutil.copy(path, folder / "model.inspected.keras")
    config, weights = members(path)["config.json"], members(path)["model.weights.h5"]
    (folder / "model.json").write_bytes(config)
    (folder / "model.weights.h5").write_bytes(weights)
    with h5py.File(folder / "model.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(LEGACY)
        layers = file.create_group("model_weights/dense")
        layers.attrs["weight_names"] = [b"kernel:0", b"bias:0"]
        layers["kernel:0"], layers["bias:0"] = np.ones((4, 3), "f4"), np.zeros(3, "f4")
        file["model_weights"].attrs["layer_names"] = [b"dense"]


def members(path: Path) -> dict[str, bytes]:
    """Return the members of an archive by name."""
    import zipfile

    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


LEGACY = {
    "class_name": "Sequential",
    "config": {
        "name": "sequential",
        "layers": [
            {
                "class_name": "InputLayer",
                "config": {"batch_shape": [None, 4], "dtype": "float32", "name": "input_1"},
            },
            {"class_name": "Dense", "config": {"name": "dense", "units": 3, "dtype": "float32"}},
        ],
    },
}
"""The configuration of a model as Keras 2 wrote it."""

"""Archives that would write outside or unpack to much, pickles under any name, and huge sizes."""

from __future__ import annotations

import gzip
import io
import pickle
import shutil
import stat
import struct
import zipfile

import numpy as np
import pytest
from robustness.parsers import PARSERS
from robustness.valid_files import members

import dnnbridge as db

pytest.importorskip("h5py")


class Code:
    """What runs when it is unpickled."""

    def __reduce__(self):
        return print, ("unpickled",)


@pytest.mark.parametrize("name", PARSERS)
def test_a_pickle_is_not_read_under_any_name(name, reader, tmp_path):
    for protocol in (0, 2, 5):
        path = tmp_path / f"{protocol}.{name}"
        path.write_bytes(pickle.dumps(Code(), protocol))
        assert reader.check(name, path)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".pkl", ".joblib", ".ckpt", ".npz"])
def test_a_file_of_pytorch_is_refused(suffix, reader, tmp_path):
    path = tmp_path / f"model{suffix}"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Code()))
    for parser in ("weights.safetensors", "run.safetensors", "model.inspected.keras"):
        assert reader.check(parser, path)


OUTSIDE = (
    "../outside",
    "../../outside",
    "/tmp/outside",
    "a/../../outside",
    "C:\\outside",
)


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_member_is_written_outside(name, folder, tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    path = inner / "model.keras"
    shutil.copy(folder / "model.keras", path)
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"outside")
        archive.writestr(link, "/etc/passwd")
    before = sorted(tmp_path.rglob("*"))
    assert db.from_keras(path).weights
    assert db.read_weights(path)
    db.inspect(path)
    assert sorted(tmp_path.rglob("*")) == before
    npz = inner / "w.npz"
    with zipfile.ZipFile(npz, "w") as archive:
        stream = io.BytesIO()
        np.save(stream, np.zeros(3))
        archive.writestr(f"{name}.npy", stream.getvalue())
    assert len(db.read_weights(npz)) == 1
    assert sorted(tmp_path.rglob("*")) == sorted([*before, npz])


def _keras(folder, member, content):
    parts = members(folder / "model.keras") | {member: content}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_BZIP2) as archive:
        for name, each in parts.items():
            archive.writestr(name, each)
    return stream.getvalue()


def _hdf5(folder, **more):
    import h5py

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_dataset("layers/dense/vars/0", (10**7, 100), "f4", **more)
    return stream.getvalue()


def _deep(folder):
    import h5py

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        group = file
        for _ in range(2000):
            group = group.create_group("g")
        group["again"] = file["g"]
    return stream.getvalue()


MANY = 80 * 10**6

BOMBS = {
    "keras-config": ("model.keras", lambda f: _keras(f, "config.json", bytes(MANY))),
    "keras-weights": ("model.keras", lambda f: _keras(f, "model.weights.h5", bytes(MANY))),
    "hdf5-sparse": ("model.weights.h5", _hdf5),
    "hdf5-chunks": ("model.weights.h5", lambda f: _hdf5(f, chunks=(1000, 100), compression=9)),
    "hdf5-deep": ("model.weights.h5", _deep),
    "idx": (
        "images.idx.gz",
        lambda f: gzip.compress(bytes([0, 0, 8, 3]) + struct.pack(">3I", 1, 1, 1) + bytes(MANY)),
    ),
    "idx-header": (
        "images.idx.gz",
        lambda f: gzip.compress(bytes([0, 0, 8, 3]) + struct.pack(">3I", *[2**32 - 1] * 3)),
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_takes_little_memory(name, folder, reader, tmp_path):
    parser, make = BOMBS[name]
    path = tmp_path / parser
    path.write_bytes(make(folder))
    assert path.stat().st_size < 3 * 10**6
    assert reader.check(parser, path)


def _after(shape, *layers):
    return db.Sequential([db.Input(shape), *layers])


LONG = 10**9

HUGE = {
    "adaptive": lambda: _after((8, 2), db.AdaptiveAveragePooling1D(7)),
    "positions": lambda: _after((7, 2), db.SinusoidalPositions()),
    "attention": lambda: db.Model(x := db.Input((7, 4)), db.Attention(causal=True)(x, x, x)),
    "resizing": lambda: _after((8, 8, 1), db.Resizing(7, 7)),
    "upsampling": lambda: _after((8, 8, 1), db.UpSampling2D(7, interpolation="bilinear")),
    "repeated": lambda: _after((8,), db.RepeatVector(7), db.LSTM(2)),
    "dropped": lambda: _after((7, 4), db.TimeDistributed(db.Dropout(0.5))),
    "orthogonal": lambda: _after(
        (4,), db.Dense(7, kernel_regularizer=db.OrthogonalRegularizer(mode="columns"))
    ),
    "categories": lambda: _after((3,), db.CategoryEncoding(7)),
    "einsum": lambda: _after((4, 5), db.EinsumDense("abc,cd->abd", (4, 7))),
    "windows": lambda: _after((7, 7, 1), db.MaxPooling2D(7), db.Flatten()),
    "filters": lambda: _after((5, 4), db.Conv1D(7, 3)),
}
"""Models in which the number 7 becomes a thousand millions."""


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_size_is_read_or_refused_at_once(name, reader, tmp_path):
    text = db.Experiment(HUGE[name](), "mse", "sgd").to_json()
    path = tmp_path / "experiment.json"
    path.write_text(text)
    assert reader.check("experiment.json", path) == ""
    path.write_text(text.replace(" 7,", f" {LONG},").replace(" 7\n", f" {LONG}\n"))
    reader.check("experiment.json", path)

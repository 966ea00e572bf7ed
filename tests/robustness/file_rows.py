"""Bad files of models and checkpoints, of every form that is read."""

from __future__ import annotations

import io
import json
import struct
import zipfile

import numpy as np
from robustness.data_rows import members, written
from robustness.row import experiment, on_each, row
from safetensors.numpy import save

import dnnbridge as db
from dnnbridge.errors import CheckpointError, ConversionError
from dnnbridge.formats.traces.records import MAGIC, encoded
from dnnbridge.training import checkpoint_file

PICKLE = b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x04true\x94\x85\x94R\x94."
"""What `pickle` would run."""


def resaved(change, backend=True):
    """Return what saves a run, changes its header and its arrays, and loads it."""

    def does(c):
        path = c.run().save(c.folder / "run.safetensors")
        metadata, arrays = checkpoint_file.read(path)
        metadata.pop(checkpoint_file.DIGEST)
        change(metadata, arrays)
        metadata.setdefault(checkpoint_file.DIGEST, checkpoint_file.digest(metadata, arrays))
        path.write_bytes(save(arrays, metadata))
        return db.load(path, c.backend)

    return does


def header(**fields):
    """Return a change of texts of the header; None leaves one out."""

    def change(metadata, arrays):
        for name, value in fields.items():
            if value is None:
                del metadata[name]
            else:
                metadata[name] = value if isinstance(value, str) else json.dumps(value)

    return change


def arrays(change):
    return lambda metadata, given: change(given)


def load(name, content):
    return written(name, content, lambda path: db.load(path, "reference"))


def tensors(entries, size=b"", length=None):
    text = json.dumps(entries).encode() if not isinstance(entries, bytes) else entries
    return (len(text) if length is None else length).to_bytes(8, "little") + text + size


def weights(name, content):
    return written(name, content, db.read_weights)


def keras(config="{}", name="config.json", weights=b"", more=()):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, config)
        archive.writestr("model.weights.h5", weights)
        for each, content in more:
            archive.writestr(each, content)
    return stream.getvalue()


def from_keras(content, name="m.keras"):
    return written(name, content, db.from_keras)


LAMBDA = json.dumps(
    {
        "class_name": "Sequential",
        "config": {
            "layers": [
                {"class_name": "InputLayer", "config": {"batch_shape": [None, 4], "name": "i"}},
                {"class_name": "Lambda", "config": {"function": "4wAAAA==", "name": "evil"}},
            ]
        },
    }
)


def with_hdf5(make, name="m.weights.h5"):
    """Return what makes an HDF5 file, and reads it."""

    def does(c):
        import h5py

        with h5py.File(c.folder / name, "w") as file:
            make(h5py, file)
        return db.read_weights(c.folder / name)

    return does


def _outside(h5py, file):
    file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "/")


def _stored_outside(h5py, file):
    file.create_dataset("w", (4,), "u1", external=[("/etc/passwd", 0, 4)])


def _sparse(h5py, file):
    file.create_dataset("w", (10**12,), "f4")


def _array(*shape, **settings):
    """Return what makes an array of an HDF5 file that no framework writes."""

    def makes(h5py, file):
        file.create_dataset("w", shape or (4,), **settings)

    return makes


def with_chunks_of_another_rank(c):
    """Read chunks of one axis in an array of two: HDF5 1.14.6 gives what lies beside them."""
    import h5py

    path = c.folder / "m.weights.h5"
    with h5py.File(path, "w", libver="earliest") as file:
        file.create_dataset("w", data=np.ones((4, 4), np.float32), chunks=(2, 2))
    content = path.read_bytes()
    layout = b"\3\2\3" + content.partition(b"\3\2\3")[2][:8] + b"\2\0\0\0"  # version, chunks, axes
    assert content.count(layout) == 1
    path.write_bytes(content.replace(layout, b"\3\2\2" + layout[3:]))
    return db.read_weights(path)


def of_the_newer_form(c):
    import h5py

    path = c.folder / "m.weights.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file["w"] = np.ones(3, np.float32)
    return db.read_weights(path)


def with_texts_in_circles(c):
    """Inspect a file with a text whose size brings HDF5 1.14.6 back to where it was."""
    import h5py

    path = c.folder / "m.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = "{}"
    content = bytearray(path.read_bytes())
    texts = content.index(b"GCOL") + 16
    free = texts + 24  # after the number, the use and the size of the text, and its bytes
    assert content[free : free + 2] == b"\0\0"
    content[free + 8 : free + 16] = (2**64 - 16).to_bytes(8, "little")
    path.write_bytes(content)
    return db.inspect(path)


def _of_references(h5py, file):
    file.create_dataset("w", (4,), h5py.ref_dtype)


def _of_lists(h5py, file):
    file.create_dataset("w", (4,), h5py.vlen_dtype("f4"))


def onnx_of(change):
    """Return what changes an ONNX file and reads it."""

    def does(c):
        import onnx
        from convert.onnx_graphs import saved

        path = saved(c.folder, "mlp")
        model = onnx.load(path)
        change(model.graph)
        path.write_bytes(model.SerializeToString())
        return db.from_onnx(path)

    return does


def _elsewhere(graph):
    tensor = graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = 1
    tensor.external_data.add(key="location", value="../../../../etc/passwd")


def trace(*records):
    content = MAGIC + b"".join(encoded(*each) for each in records)
    return written("a.trace", content, db.inspect)


HEAD = {"format": "dnnbridge trace 1", "every": 1, "every_epochs": 1}

CHECKPOINTS = {
    "missing": on_each(
        lambda c: db.load(c.folder / "a.safetensors", c.backend), CheckpointError, "a.safetensors"
    ),
    "a-number": on_each(lambda c: db.load(3, c.backend), CheckpointError, "path", "3"),
    "a-name-with-nul": row(lambda c: db.load("a\0b"), CheckpointError, "path"),
    "a-name-of-999": row(lambda c: db.load("a" * 999), CheckpointError, "too long"),
    "of-pickle": row(load("run.pkl", PICKLE), CheckpointError, "pickle"),
    "of-pytorch": row(load("run.pt", PICKLE), CheckpointError, "PyTorch", ".safetensors"),
    "pickle-under-our-name": row(load("run.safetensors", PICKLE), CheckpointError, "safetensors"),
    "empty": row(load("run.safetensors", b""), CheckpointError, "run.safetensors"),
    "header-of-exabytes": row(
        load("run.safetensors", b"\xff" * 8 + b"{}"), CheckpointError, "run.safetensors"
    ),
    "of-another-program": row(
        load("run.safetensors", save({"w": np.zeros(3, np.float32)})), CheckpointError, "format"
    ),
    "cut": on_each(
        lambda c: (
            (p := c.run().save(c.folder / "a.safetensors")).write_bytes(p.read_bytes()[:-5]),
            db.load(p, c.backend),
        ),
        CheckpointError,
        "a.safetensors",
    ),
    "format-of-the-future": on_each(
        resaved(header(format="dnnbridge checkpoint 99")), CheckpointError, "checkpoint 99"
    ),
    "digest-wrong": on_each(resaved(header(sha256="0" * 64)), CheckpointError, "damaged"),
    "no-experiment": on_each(resaved(header(experiment=None)), CheckpointError, "experiment"),
    "experiment-of-no-model": on_each(
        resaved(header(experiment="{}")), CheckpointError, "not an experiment"
    ),
    "experiment-of-another-model": on_each(
        resaved(
            lambda m, a: m.update(
                experiment=experiment(model=db.Sequential([db.Input((5,)), db.Dense(3)])).to_json()
            )
        ),
        CheckpointError,
        "dense/kernel",
    ),
    "optimizer-of-another-kind": on_each(
        resaved(header(optimizer=db.Adam(0.1).to_json())), CheckpointError, "optimizer"
    ),
    "optimizer-a-layer": on_each(
        resaved(header(optimizer=db.Dense(3).to_json())), CheckpointError, "optimizer"
    ),
    "progress-a-list": on_each(resaved(header(progress=[1])), CheckpointError, "progress"),
    "progress-below-0": on_each(
        resaved(header(progress={"step": -1, "epoch": 0})), CheckpointError, "step", "-1"
    ),
    "progress-a-text": on_each(
        resaved(header(progress={"step": "1", "epoch": 0})), CheckpointError, "step", "'1'"
    ),
    "progress-of-more": on_each(
        resaved(header(progress={"step": 1, "speed": 0})), CheckpointError, "progress", "speed"
    ),
    "logs-of-texts": on_each(resaved(header(logs=["a"])), CheckpointError, "logs"),
    "logs-of-an-object": on_each(resaved(header(logs={})), CheckpointError, "logs"),
    "sums-a-number": on_each(resaved(header(epoch_sums=3)), CheckpointError, "epoch_sums"),
    "sums-of-other-metrics": on_each(
        resaved(header(epoch_sums={"sums": {"x": 1.0}, "count": 1})), CheckpointError, "sums"
    ),
    "array-missing": on_each(
        resaved(arrays(lambda a: a.pop("dense/bias"))), CheckpointError, "dense/bias"
    ),
    "array-of-another-name": on_each(
        resaved(arrays(lambda a: a.update({"x": a["dense/bias"]}))), CheckpointError, "x"
    ),
    "array-of-another-shape": on_each(
        resaved(arrays(lambda a: a.update({"dense/bias": np.zeros(9, np.float32)}))),
        CheckpointError,
        "dense/bias",
        "(9,)",
    ),
    "array-of-whole-numbers": on_each(
        resaved(arrays(lambda a: a.update({"dense/bias": np.zeros(3, np.int32)}))),
        CheckpointError,
        "dense/bias",
        "int32",
    ),
    "resume-in-another-folder": on_each(
        lambda c: (
            (c.folder / "backup.safetensors").write_bytes(b"no"),
            c.run().fit([[0.0] * 4], [0], callbacks=[db.BackupAndRestore(c.folder)]),
        ),
        CheckpointError,
        "backup.safetensors",
    ),
    "trace-of-a-future": row(trace(("HEAD", HEAD | {"format": "x"})), CheckpointError, "'x'"),
    "trace-of-no-head": row(trace(("SPOT", {"places": []})), CheckpointError, "HEAD"),
    "trace-logs-a-list": row(
        trace(("HEAD", HEAD), ("EPOC", {"epoch": 0, "step": 1, "logs": []})),
        CheckpointError,
        "EPOC",
    ),
    "trace-step-a-text": row(
        trace(("HEAD", HEAD), ("STEP", {"step": "1", "batch": None})), CheckpointError, "STEP"
    ),
}

ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}

MODELS = {
    "form-unknown": row(weights("w.bin", b""), ConversionError, ".bin", ".safetensors"),
    "pytorch": row(weights("w.pth", PICKLE), ConversionError, "save_file"),
    "ckpt-of-pickle": row(weights("w.ckpt", PICKLE), ConversionError, "w.ckpt", "damaged"),
    "ckpt-of-a-huge-message": row(
        weights("w.ckpt", b"\x0a\xff\xff\xff\xff\x7f"), ConversionError, "left"
    ),
    "ckpt-that-ends-in-a-number": row(weights("w.ckpt", b"\x0a\xff"), ConversionError, "ends"),
    "ckpt-of-1000-axes": row(
        weights("w.ckpt", b"\x0a\xde\x0f\x0a\x01w\x12\xd8\x0f" + b"\x08\x02" * 1000),
        ConversionError,
        "w.ckpt",
    ),
    "safetensors-header-too-long": row(
        weights("w.safetensors", tensors({}, length=10**15)), ConversionError, "header"
    ),
    "safetensors-header-no-json": row(
        weights("w.safetensors", tensors(b"{")), ConversionError, "w.safetensors", "JSON"
    ),
    "safetensors-header-a-list": row(
        weights("w.safetensors", tensors([1])), ConversionError, "w.safetensors"
    ),
    "safetensors-deep": row(
        weights("w.safetensors", tensors(b"[" * 100_000)), ConversionError, "w.safetensors"
    ),
    "safetensors-outside-the-file": row(
        weights("w.safetensors", tensors({"w": ENTRY})), ConversionError, "8 bytes"
    ),
    "safetensors-in-the-same-bytes": row(
        weights("w.safetensors", tensors({"v": ENTRY, "w": ENTRY}, bytes(8))),
        ConversionError,
        "same bytes",
    ),
    "safetensors-dtype-unknown": row(
        weights("w.safetensors", tensors({"w": ENTRY | {"dtype": "O"}}, bytes(8))),
        ConversionError,
        "'O'",
    ),
    "safetensors-of-1000-axes": row(
        weights("w.safetensors", tensors({"w": ENTRY | {"shape": [1] * 1000}}, bytes(8))),
        ConversionError,
        "1000 axes",
    ),
    "safetensors-of-a-nested-name": row(
        weights("w.safetensors", tensors({"w": {"v": ENTRY}}, bytes(8))), ConversionError, "dtype"
    ),
    "hdf5-of-noise": row(
        weights("m.weights.h5", b"\x89HDF\r\n\x1a\n" + b"\x07" * 99), ConversionError, "m.weights"
    ),
    "hdf5-link-outside": row(with_hdf5(_outside), ConversionError, "/etc/passwd"),
    "hdf5-data-outside": row(with_hdf5(_stored_outside), ConversionError, "other files"),
    "hdf5-of-scaled-numbers": row(
        with_hdf5(_array(dtype="i4", scaleoffset=3)), ConversionError, "chunks, as a compressed"
    ),
    "hdf5-of-a-fill-value": row(
        with_hdf5(_array(dtype="f4", fillvalue=3)), ConversionError, "a fill value"
    ),
    "hdf5-of-other-chunks": row(
        with_chunks_of_another_rank, ConversionError, "chunks, as a compressed"
    ),
    "hdf5-of-the-newer-form": row(of_the_newer_form, ConversionError, "the form 3 of HDF5"),
    "hdf5-of-texts-in-circles": row(
        with_texts_in_circles, CheckpointError, "a damaged list of texts at byte"
    ),
    "hdf5-of-records": row(
        with_hdf5(_array(dtype=[("a", "f4")])), ConversionError, "neither a plain number"
    ),
    "hdf5-of-opaque-bytes": row(
        with_hdf5(_array(dtype="V4")), ConversionError, "neither a plain number"
    ),
    "hdf5-of-references": row(with_hdf5(_of_references), ConversionError, "neither a plain number"),
    "hdf5-of-lists": row(with_hdf5(_of_lists), ConversionError, "neither a plain number"),
    "hdf5-of-terabytes": row(with_hdf5(_sparse), ConversionError, "4,000,000,000,000"),
    "keras-of-pickle": row(from_keras(PICKLE), ConversionError, "m.keras"),
    "keras-empty": row(from_keras(b""), ConversionError, "m.keras"),
    "keras-cut": row(from_keras(keras(LAMBDA)[:-30]), ConversionError, "m.keras"),
    "keras-without-config": row(from_keras(keras(name="x.json")), ConversionError, "config.json"),
    "keras-config-no-json": row(from_keras(keras("{")), ConversionError, "JSON"),
    "keras-config-a-list": row(from_keras(keras("[]")), ConversionError, "list"),
    "keras-config-deep": row(from_keras(keras("[" * 10**5)), ConversionError, "m.keras"),
    "keras-config-of-100-MB": row(
        from_keras(keras(" " * (65 * 2**20))), ConversionError, "too long"
    ),
    "keras-config-of-no-model": row(from_keras(b"{}", "m.json"), ConversionError, "no class"),
    "keras-lambda": row(from_keras(LAMBDA.encode(), "m.json"), ConversionError, "Lambda"),
    "keras-class-of-a-module": row(
        from_keras(LAMBDA.replace('"Lambda"', '"os.system"').encode(), "m.json"),
        ConversionError,
        "os.system",
    ),
    "keras-members-outside": row(
        from_keras(keras(name="../../config.json")), ConversionError, "config.json"
    ),
    "keras-weights-missing": row(
        lambda c: db.from_keras(c.folder / "m.json", weights=c.folder / "w.h5"),
        ConversionError,
        "does not exist",
    ),
    "npz-of-code": row(
        weights("w.npz", members(w=b"\x93NUMPY\x01\x00" + struct.pack("<H", 9) + b"exit()   ")),
        ConversionError,
        "w.npz",
    ),
    "onnx-of-noise": row(written("m.onnx", b"\x07" * 50, db.from_onnx), ConversionError, "m.onnx"),
    "onnx-empty": row(written("m.onnx", b"", db.from_onnx), ConversionError, "without nodes"),
    "onnx-data-outside": row(onnx_of(_elsewhere), ConversionError, "outside the folder"),
    "onnx-of-terabytes": row(
        onnx_of(lambda g: g.initializer[0].dims.__setitem__(0, 10**12)), ConversionError, "bytes"
    ),
    "onnx-dtype-unknown": row(
        onnx_of(lambda g: setattr(g.initializer[0], "data_type", 99)), ConversionError, "UNDEFINED"
    ),
    "onnx-operator-unknown": row(
        onnx_of(lambda g: setattr(g.node[0], "op_type", "os.system")), ConversionError, "os.system"
    ),
    "inspect-of-noise": row(written("a.bin", b"\x07" * 50, db.inspect), CheckpointError, "a.bin"),
    "inspect-json-of-noise": row(written("a.json", b"\xff", db.inspect), CheckpointError, "a.json"),
    "inspect-onnx-of-noise": row(written("a.onnx", b"\x07", db.inspect), CheckpointError, "a.onnx"),
    "load-weights-of-others": on_each(
        lambda c: db.load_weights(c.run(), _saved(c.folder)), ConversionError, "dense/kernel"
    ),
}


def _saved(folder):
    np.savez(folder / "w.npz", other=np.zeros(3))
    return folder / "w.npz"


ROWS = {**CHECKPOINTS, **MODELS}

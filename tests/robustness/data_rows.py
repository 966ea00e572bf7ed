"""Bad files of data, and bad names of data sets."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile

import numpy as np
from robustness.row import X, Y, row

import dnnbridge as db
from dnnbridge.datasets import load_dataset
from dnnbridge.datasets.idx import read_idx
from dnnbridge.errors import ConversionError, DataError
from dnnbridge.report.trained import read_trained


def written(name, content, read):
    """Return what writes a file and reads it."""

    def does(c):
        path = c.folder / name
        path.write_bytes(content)
        return read(path)

    return does


def data(content):
    return written("data.npz", content, lambda path: load_dataset(str(path)))


def npz(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def members(how=zipfile.ZIP_STORED, **contents):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", how) as archive:
        for name, content in contents.items():
            archive.writestr(f"{name}.npy", content)
    return stream.getvalue()


def npy(shape, dtype="<f4", content=b""):
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (118 - len(header)) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def labels(content):
    return written("labels", content, lambda path: read_idx(path, 1))


def log(content):
    return written("log.csv", content, read_trained)


OBJECTS = npz(x=np.array([{}] * 6, object), y=Y)

ROWS = {
    "name-unknown": row(lambda c: load_dataset("cifar"), DataError, "'cifar'", "digits"),
    "name-empty": row(lambda c: load_dataset(""), DataError, "''"),
    "mnist-in-no-folder": row(
        lambda c: load_dataset(f"mnist:{c.folder / 'no'}"), DataError, "not a folder"
    ),
    "mnist-in-an-empty-folder": row(
        lambda c: load_dataset(f"mnist:{c.folder}"), DataError, "train-images-idx3-ubyte"
    ),
    "npz-missing": row(lambda c: load_dataset(str(c.folder / "a.npz")), DataError, "a.npz"),
    "npz-a-folder": row(
        lambda c: ((c.folder / "a.npz").mkdir(), load_dataset(str(c.folder / "a.npz"))),
        DataError,
        "a.npz",
    ),
    "npz-of-text": row(data(b"x,y\n1,2\n"), DataError, "data.npz", "not a zip file"),
    "npz-empty": row(data(b""), DataError, "data.npz", "not a zip file"),
    "npz-cut": row(data(npz(x=X, y=Y)[:-30]), DataError, "data.npz"),
    "npz-of-objects": row(data(OBJECTS), DataError, "data.npz", "allow_pickle=False"),
    "npz-of-pickle": row(
        data(members(x=b"\x80\x04N.", y=b"\x80\x04N.")), DataError, "data.npz", "magic"
    ),
    "npz-with-another-checksum": row(
        data(npz(x=X, y=Y).replace(X.tobytes(), (X + 1).tobytes())), DataError, "CRC"
    ),
    "npz-of-other-names": row(data(npz(images=X, labels=Y)), DataError, "images", "x_train"),
    "npz-without-labels": row(data(npz(x=X)), DataError, "x_train"),
    "npz-of-two-lengths": row(data(npz(x=X, y=Y[:3])), DataError, "6", "3"),
    "npz-larger-than-its-header": row(
        data(members(x=npy("(4,)", content=b"\0" * 99), y=npy("(0,)"))), DataError, "99 bytes"
    ),
    "npz-of-a-terabyte": row(
        data(members(x=npy("(1000000, 1000000)"), y=npy("(0,)"))), DataError, "0 bytes"
    ),
    "npz-of-shape-below-0": row(data(members(x=npy("(-4,)"), y=npy("(0,)"))), DataError, "below 0"),
    "npz-of-100-axes": row(
        data(members(x=npy("(1," * 100 + ")"[:1])[:60], y=b"")), DataError, "data.npz"
    ),
    "npz-that-unpacks-to-a-gigabyte": row(
        data(members(zipfile.ZIP_BZIP2, x=npy("(200000000,)", "|u1", bytes(2 * 10**8)))),
        DataError,
        "200,000,129 bytes",
    ),
    "npz-with-code-in-its-header": row(
        data(members(x=npy("__import__('os').getcwd()"), y=npy("(0,)"))), DataError, "malformed"
    ),
    "idx-empty": row(labels(b""), DataError, "labels", "0x"),
    "idx-of-floats": row(labels(bytes([0, 0, 0x0D, 1, 0, 0, 0, 0])), DataError, "0x00000d01"),
    "idx-images-as-labels": row(labels(bytes([0, 0, 8, 3])), DataError, "swapped"),
    "idx-without-sizes": row(labels(bytes([0, 0, 8, 1])), DataError, "header"),
    "idx-cut": row(labels(bytes([0, 0, 8, 1, 0, 0, 0, 9, 1])), DataError, "9 bytes"),
    "idx-too-long": row(labels(bytes([0, 0, 8, 1, 0, 0, 0, 1, 1, 2])), DataError, "10 bytes"),
    "idx-of-4-gigabytes": row(labels(bytes([0, 0, 8, 1]) + b"\xff" * 4), DataError, "4294967295"),
    "idx-gz-of-4-gigabytes": row(
        labels(gzip.compress(bytes([0, 0, 8, 1]) + b"\xff" * 4)), DataError, "4,294,967,295"
    ),
    "idx-gz-cut": row(labels(gzip.compress(bytes(999))[:-9]), DataError, "labels"),
    "idx-gz-of-noise": row(labels(b"\x1f\x8b" + b"\x07" * 40), DataError, "labels"),
    "csv-of-noise": row(log(bytes(range(256))), DataError, "log.csv", "CSVLogger"),
    "csv-empty": row(log(b""), DataError, "log.csv", "first line"),
    "csv-of-another-program": row(log(b"name,age\na,3\n"), DataError, "name,age"),
    "csv-of-texts": row(log(b"epoch,loss\n0,low\n"), DataError, "'low'"),
    "csv-of-short-lines": row(log(b"epoch,loss,acc\n0,1.0\n"), DataError, "2 values for 3"),
    "csv-epoch-a-fraction": row(log(b"epoch,loss\n0.5,1.0\n"), DataError, "0.5"),
    "csv-missing": row(lambda c: read_trained(c.folder / "a.csv"), DataError, "a.csv"),
    "weights-of-objects": row(
        written("w.npz", npz(w=np.array([{}], object)), db.read_weights),
        ConversionError,
        "w.npz",
        "allow_pickle=False",
    ),
}

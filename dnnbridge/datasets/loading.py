"""`load_dataset`: find a data set by the text that names it."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import close_match
from dnnbridge.datasets.dataset import Dataset, split
from dnnbridge.datasets.idx import read_idx
from dnnbridge.errors import DataError
from dnnbridge.formats.npz import read_npz

DATA_VARIABLE = "DNNBRIDGE_DATA"

PARTS = ("x_train", "y_train", "x_test", "y_test")

MNIST_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}

FORMS = ("digits", "mnist", "mnist:PATH", "PATH.npz")


def load_dataset(text: str) -> Dataset:
    """Return the data set that a text names.

    * `digits`: 1,797 images of 8 × 8, part of this package; every fifth of a class is for testing.
    * `mnist:PATH`: a folder with the four IDX files, plain or `.gz`, or a `.npz`; `mnist` alone
      takes the path from the environment variable DNNBRIDGE_DATA.
    * `PATH.npz`: arrays x_train, y_train, x_test and y_test, or x and y, of which every fifth
      example of a class is for testing.

    Unsigned bytes are taken for images and divided by 255 (digits: by 16).

    Raises:
        DataError: no such data set, or its files are damaged or incomplete.

    Example:
        >>> load_dataset("digits").y_train[:5]
        array([0, 1, 2, 3, 4], dtype=int32)
    """
    name, colon, path = text.partition(":")
    if text == "digits":
        return _digits()
    if name == "mnist":
        return _mnist(path if colon else os.environ.get(DATA_VARIABLE, ""))
    if any(letter in text for letter in "*?[") and not Path(text).exists():
        raise DataError(
            "names several files, and one is needed",
            where="data",
            got=repr(text),
            hint=f"In a program, shards = db.Shards({text!r}) reads them while fit trains.",
        )
    if text.endswith(".npz"):
        return _archive(Path(text))
    raise DataError("unknown data set", where="data", got=repr(text), hint=close_match(text, FORMS))


def _digits() -> Dataset:
    with (resources.files(__package__) / "digits.npz").open("rb") as file:
        arrays = np.load(file, allow_pickle=False)
        x, y = arrays["x"], arrays["y"]
    return split("digits", x.astype(np.float32) / 16, y.astype(np.int32))


def _mnist(text: str) -> Dataset:
    path = Path(text).expanduser()
    if not text:
        raise DataError(
            "no place of the MNIST files",
            where="data",
            got="'mnist'",
            hint=f"Write mnist:PATH, or set {DATA_VARIABLE} to their folder.",
        )
    if text.endswith(".npz"):
        return _archive(path)
    if not path.is_dir():
        raise DataError(
            "not a folder", where="data", got=repr(text), hint="Give the folder of the IDX files."
        )
    arrays = {}
    for part, file in MNIST_FILES.items():
        arrays[part] = read_idx(_find(path, file), rank=3 if part.startswith("x") else 1)
    return _dataset("mnist", arrays)


def _find(folder: Path, name: str) -> Path:
    for candidate in (folder / f"{name}.gz", folder / name):
        if candidate.is_file():
            return candidate
    raise DataError(
        f"lacks the file {name}.gz (or {name})",
        where=str(folder),
        got=", ".join(sorted(p.name for p in folder.iterdir())[:8]) or "an empty folder",
        hint=f"MNIST needs {', '.join(MNIST_FILES.values())}.",
    )


def _archive(path: Path) -> Dataset:
    try:
        arrays = read_npz(path)
    except (OSError, ValueError) as error:
        raise DataError(
            "cannot be read as a NumPy archive",
            where=str(path),
            got=str(error),
            hint="Write it with numpy.savez, without Python objects.",
        ) from None
    return _dataset(path.name, arrays)


def _dataset(name: str, arrays: dict[str, Array]) -> Dataset:
    if set(arrays) == {"x", "y"}:
        return split(name, _scaled(arrays["x"]), _labels(arrays["y"]))
    if set(arrays) != set(PARTS):
        raise DataError(
            f"needs the arrays {', '.join(PARTS)}, or x and y, and no others",
            where=name,
            got=", ".join(sorted(arrays)) or "no arrays",
            hint="Rename them, or leave out what is not for training.",
        )
    x_train, y_train, x_test, y_test = (arrays[part] for part in PARTS)
    return Dataset(name, _scaled(x_train), _labels(y_train), _scaled(x_test), _labels(y_test))


def _scaled(x: Array) -> Array:
    return x.astype(np.float32) / 255 if x.dtype == np.uint8 else x


def _labels(y: Array) -> Array:
    return y.astype(np.int32) if y.dtype == np.uint8 else y

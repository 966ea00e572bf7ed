"""Data sets: which files are read or refused, and how data are split and converted."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.datasets import Dataset, adapt_to, load_dataset, read_idx
from dnnbridge.datasets.loading import MNIST_FILES
from dnnbridge.errors import DataError, DnnbridgeError, DTypeError

RNG = np.random.default_rng(7)
IMAGES = RNG.integers(0, 256, (7, 4, 4), np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2, 0], np.uint8)


def idx_bytes(array: np.ndarray[Any, Any]) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    """A folder of four small IDX files, two of them compressed."""
    for part, name in MNIST_FILES.items():
        content = idx_bytes(IMAGES if part.startswith("x") else LABELS)
        if part.endswith("train"):
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (tmp_path / name).write_bytes(content)
    return tmp_path


def experiment(loss: db.AbstractLoss, shape: tuple[int, ...] = (16,)) -> db.Experiment:
    model = db.Sequential([db.Input(shape), db.Flatten(), db.Dense(3, activation="softmax")])
    return db.Experiment(model, loss, db.SGD(0.1))


def test_digits_are_the_known_ones() -> None:
    digits = load_dataset("digits")
    x = np.concatenate([digits.x_train, digits.x_test])
    y = np.concatenate([digits.y_train, digits.y_test])
    assert x.shape == (1797, 8, 8)
    assert x.dtype == np.float32
    assert (x * 16).sum() == 561718
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_every_class_has_its_share_of_the_test_data() -> None:
    digits = load_dataset("digits")
    counts = np.bincount(digits.y_test)
    assert counts.sum() == 359
    assert counts.min() >= 34
    assert counts.max() <= 37


def test_split_is_the_same_every_time() -> None:
    first, second = load_dataset("digits"), load_dataset("digits")
    np.testing.assert_array_equal(first.x_test, second.x_test)


def test_mnist_folder_is_scaled(mnist: Path) -> None:
    found = load_dataset(f"mnist:{mnist}")
    np.testing.assert_array_equal(found.x_train, IMAGES.astype(np.float32) / 255)
    np.testing.assert_array_equal(found.y_test, LABELS)
    assert found.classes == 3


def test_mnist_path_from_the_environment(mnist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNNBRIDGE_DATA", str(mnist))
    assert load_dataset("mnist").x_train.shape == (7, 4, 4)


@pytest.mark.parametrize("prefix", ["", "mnist:"])
def test_archive_with_four_arrays(tmp_path: Path, prefix: str) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, x_train=IMAGES, y_train=LABELS, x_test=IMAGES[:2], y_test=LABELS[:2])
    found = load_dataset(f"{prefix}{path}")
    assert found.x_train.max() <= 1.0
    assert len(found.x_test) == 2


def test_archive_without_parts_is_split_and_floats_stay(tmp_path: Path) -> None:
    x, y = RNG.normal(size=(10, 3)), RNG.normal(size=(10, 1))
    np.savez(tmp_path / "data.npz", x=x, y=y)
    found = load_dataset(str(tmp_path / "data.npz"))
    np.testing.assert_array_equal(found.x_test, x[[4, 9]])
    np.testing.assert_array_equal(found.y_train, np.delete(y, [4, 9], 0))
    assert found.classes is None


def test_reshape_is_logged_and_in_c_order(caplog: pytest.LogCaptureFixture) -> None:
    data = Dataset("toy", IMAGES / 255, LABELS.astype(int), IMAGES / 255, LABELS.astype(int))
    with caplog.at_level("INFO", "dnnbridge"):
        adapted = adapt_to(experiment(db.SparseCategoricalCrossentropy()), data)
    np.testing.assert_allclose(adapted.x_train[0], IMAGES[0].ravel() / 255, rtol=1e-6)
    assert caplog.messages == ["toy: examples reshaped, from shape (4, 4) to (16,)"]


def test_labels_become_one_hot_where_the_loss_takes_distributions() -> None:
    data = Dataset("toy", IMAGES / 255, LABELS.astype(int), IMAGES / 255, LABELS.astype(int))
    adapted = adapt_to(experiment(db.CategoricalCrossentropy(), (4, 4)), data)
    np.testing.assert_array_equal(adapted.y_train.argmax(1), LABELS)
    np.testing.assert_array_equal(adapted.y_train.sum(1), 1)


def damage(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


TRAIN_LABELS = MNIST_FILES["y_train"]
TEST_IMAGES = MNIST_FILES["x_test"]


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        (f"{TRAIN_LABELS}.gz", lambda content: content[:-12], ["cannot be read"]),
        (f"{TRAIN_LABELS}.gz", lambda content: content[:10] + b"xx" + content[12:], [""]),
        (TEST_IMAGES, lambda content: content[:-1], ["header says 128 bytes", "127 bytes"]),
        (TEST_IMAGES, lambda content: content[:9], ["16 bytes of header", "9 bytes"]),
        (TEST_IMAGES, lambda _: idx_bytes(LABELS), ["3 axes", "0x00000803", "0x00000801"]),
        (TEST_IMAGES, lambda _: b"", ["not an IDX file"]),
        (TEST_IMAGES, lambda _: idx_bytes(IMAGES[:3]), ["x_test and y_test", "(3, 4, 4)"]),
    ],
    ids=["gzip-cut", "gzip-damaged", "cut", "header-cut", "swapped", "empty", "counts-differ"],
)
def test_damaged_mnist(
    mnist: Path, file: str, change: Callable[[bytes], bytes], words: list[str]
) -> None:
    damage(mnist / file, change)
    with pytest.raises(DataError) as caught:
        load_dataset(f"mnist:{mnist}")
    assert all(word in str(caught.value) for word in words)
    assert file in str(caught.value) or "x_test" in str(caught.value)


def test_missing_mnist_file_is_named(mnist: Path) -> None:
    (mnist / TEST_IMAGES).unlink()
    with pytest.raises(DataError, match=TEST_IMAGES):
        load_dataset(f"mnist:{mnist}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("digit", ["'digit'", "Did you mean 'digits'", "mnist:PATH"]),
        ("mnist", ["DNNBRIDGE_DATA"]),
        ("mnist:", ["DNNBRIDGE_DATA"]),
        ("mnist:no/such/folder", ["not a folder", "no/such/folder"]),
        ("no-such-file.npz", ["no-such-file.npz", "cannot be read"]),
        ("train-*.npz", ["names several files", "db.Shards('train-*.npz')"]),
    ],
    ids=["unknown", "no-path", "empty-path", "no-folder", "no-file", "several"],
)
def test_unknown_data(text: str, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DNNBRIDGE_DATA", raising=False)
    with pytest.raises(DataError) as caught:
        load_dataset(text)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x_train": IMAGES, "y_train": LABELS}, ["x_train, y_train, x_test, y_test", "got x_tr"]),
        ({"x": IMAGES, "y": LABELS, "z": LABELS}, ["no others", "x, y, z"]),
        (
            {"x": IMAGES, "y": LABELS[:5]},
            ["the same number of rows", "(7, 4, 4) and (5,)"],
        ),
        ({"x": IMAGES[:4], "y": LABELS[:4]}, ["at least 5"]),
        ({"x": np.array([None, "a"]), "y": LABELS}, ["cannot be read", "allow_pickle=False"]),
    ],
    ids=["lacks-test", "extra", "counts-differ", "too-few", "objects"],
)
def test_unfit_archives(tmp_path: Path, arrays: dict[str, Any], words: list[str]) -> None:
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(DataError) as caught:
        load_dataset(str(tmp_path / "data.npz"))
    assert all(word in str(caught.value) for word in ["data.npz", *words])


def test_file_that_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "data.npz").write_text("text")
    with pytest.raises(DataError, match="not a zip file"):
        load_dataset(str(tmp_path / "data.npz"))


X = np.zeros((7, 16), np.float32)
Y = np.array([0, 1, 2, 0, 1, 2, 0])


@pytest.mark.parametrize(
    ("loss", "x", "y", "kind", "words"),
    [
        ("sparse", X[:, :15], Y, DataError, ["x_train", "(16,), 16 elements", "(15,)"]),
        ("sparse", X.astype(int), Y, DTypeError, ["x_train", "floating-point"]),
        ("sparse", X, Y + 1, DataError, ["y_train", "0 to 2"]),
        ("sparse", X, Y * 1.0, DTypeError, ["y_train", "whole-number"]),
        ("categorical", X, Y + 1, DataError, ["y_train", "0 to 2", "from 1 to 3"]),
        ("categorical", X, np.eye(3)[Y] * 0.5, DataError, ["y_train", "sum to 1"]),
        ("squared", X, Y, DataError, ["MeanSquaredError takes real numbers"]),
    ],
    ids=["size", "x-int", "range", "y-float", "one-hot-range", "no-distribution", "regression"],
)
def test_data_that_do_not_fit(
    loss: str, x: Any, y: Any, kind: type[DnnbridgeError], words: list[str]
) -> None:
    losses = {
        "sparse": db.SparseCategoricalCrossentropy(),
        "categorical": db.CategoricalCrossentropy(),
        "squared": db.MeanSquaredError(),
    }
    with pytest.raises(kind) as caught:
        adapt_to(experiment(losses[loss]), Dataset("toy", x, y, x, y))
    assert all(word in str(caught.value) for word in ["toy", *words])


def test_idx_of_real_size_keeps_order(tmp_path: Path) -> None:
    array = RNG.integers(0, 256, (100, 28, 28), np.uint8)
    (tmp_path / "images").write_bytes(idx_bytes(array))
    np.testing.assert_array_equal(read_idx(tmp_path / "images", rank=3), array)

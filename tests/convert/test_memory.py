"""Converting needs little memory, and files have float32 whatever the backend computes in."""

from __future__ import annotations

import tracemalloc
import zipfile

import numpy as np
import pytest

import dnnbridge as db

h5py = pytest.importorskip("h5py")

WIDTH, DEPTH = 700, 6
SIZE = 4 * DEPTH * WIDTH * WIDTH
"""Bytes of the kernels in float32; the reference computes with twice as many."""


@pytest.fixture(scope="module")
def model():
    layers = [db.Dense(WIDTH, use_bias=False) for _ in range(DEPTH)]
    return db.Experiment(db.Sequential([db.Input((WIDTH,)), *layers]), "mse", db.SGD(0.1))


@pytest.fixture(scope="module")
def run(model):
    return db.compile(model, "reference")


def peak(action):
    """Return the largest memory that an action needs, as a multiple of the kernels in float32."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1] / SIZE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "format"),
    [("net.py", "python-mindspore"), ("net.keras", None), ("k.py", "python-tensorflow")],
)
def test_an_export_holds_one_copy_of_the_weights(name, format, run, tmp_path):
    run.export(tmp_path / f"warm_{name}", format)
    assert peak(lambda: run.export(tmp_path / name, format)) < 3.0


def test_a_file_that_is_read_and_compiled_is_held_once(run, tmp_path):
    run.export(tmp_path / "net.keras")
    read = db.from_keras(tmp_path / "net.keras")
    assert peak(lambda: read.compile("reference")) < 4.5  # an idle run of this program has 2.0


def test_arrays_of_the_reference_are_float32_in_a_file_of_keras(run, tmp_path):
    path = run.export(tmp_path / "net.keras")
    with (
        zipfile.ZipFile(path) as archive,
        archive.open("model.weights.h5") as stream,
        h5py.File(stream, "r") as file,
    ):
        kernel = file["layers/dense/vars/0"]
        assert kernel.dtype == np.float32
        np.testing.assert_array_equal(kernel, run.weights()["dense/kernel"].astype("float32"))

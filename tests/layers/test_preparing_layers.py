"""Layers that prepare raw columns: what they learn from data, what they refuse, how they travel."""

from __future__ import annotations

import re

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.base.warning import UnadaptedWarning
from dnnbridge.errors import DnnbridgeError, DTypeError

RNG = np.random.default_rng(0)
DATA = RNG.normal(3.0, 2.0, (101, 4)) * [1.0, 10.0, 1e6, 1e-6]


def run_of(*layers, shape=(4,), dtype="float32"):
    model = db.Sequential([db.Input(shape, dtype), *layers])
    return db.compile(db.Experiment(model, "mse", "sgd"), "reference")


def test_moments_of_batches_are_those_of_all_rows():
    for parts in (1, 3, 101):
        layer = db.Normalization().adapt(iter(np.array_split(DATA, parts)))
        np.testing.assert_allclose(layer.mean, DATA.mean(0), rtol=1e-14)
        np.testing.assert_allclose(layer.variance, DATA.var(0), rtol=1e-13)
    assert db.Normalization(None).adapt(DATA).mean == pytest.approx(DATA.mean(), rel=1e-14)


def test_moments_survive_a_large_mean():
    """The sum of squares less the square of the sum would lose every digit here."""
    column = 1e9 + np.arange(1000.0)[:, None]
    layer = db.Normalization().adapt(iter(np.array_split(column, 7)))
    np.testing.assert_allclose(layer.variance, [np.arange(1000.0).var()], rtol=1e-9)


def test_a_batch_may_have_labels():
    batches = [(DATA[:50], np.zeros(50)), (DATA[50:], np.zeros(51))]
    assert db.Normalization().adapt(iter(batches)) == db.Normalization().adapt(batches)
    np.testing.assert_allclose(db.Normalization().adapt(batches).mean, DATA.mean(0), rtol=1e-14)


def test_a_layer_keeps_its_other_fields():
    layer = db.Normalization(name="scale", invert=True).adapt(DATA)
    assert (layer.name, layer.invert) == ("scale", True)
    bins = db.Discretization(num_bins=3, output_mode="count", name="bins").adapt(DATA[:, :1])
    assert (bins.name, bins.output_mode, bins.num_bins) == ("bins", "count", None)


def test_bins_hold_about_as_many_examples_each():
    column = RNG.exponential(size=5000)
    layer = db.Discretization(num_bins=8).adapt(iter(np.array_split(column, 13)))
    counts = np.bincount(np.digitize(column, layer.bin_boundaries))
    assert len(counts) == 8
    assert np.abs(counts / 5000 - 1 / 8).max() < 0.02  # two times epsilon


def test_the_most_frequent_number_is_first():
    layer = db.IntegerLookup(max_tokens=4).adapt([[7, 7, 9], [9, 4, 7], [5, 5, -1]])
    assert layer.vocabulary == (7, 9, 5)  # 9 and 5 are there twice; 4 is left out
    assert layer.get_vocabulary(include_special_tokens=False) == [7, 9, 5]


WRONG = {
    "NaN": (lambda: db.Normalization().adapt([[1.0], [np.nan]]), "1 of 2 numbers are NaN"),
    "NaN in bins": (lambda: db.Discretization(num_bins=2).adapt([np.inf]), "must be finite"),
    "nothing": (lambda: db.Normalization().adapt([]), "empty or lack the axis"),
    "no batches": (lambda: db.Normalization().adapt(iter([])), "no data"),
    "no axis": (lambda: db.Normalization(2).adapt(DATA), "axis 2 of data of shape"),
    "text": (lambda: db.Normalization().adapt("rows.csv"), "cannot adapt to this"),
    "a table": (lambda: db.Normalization().adapt({"a": DATA}), "data['price']"),
    "words": (lambda: db.Normalization().adapt(np.array([["a"]])), "must be numbers"),
    "sizes": (lambda: db.Normalization().adapt([DATA, DATA[:, :3]]), "(3,) after (4,)"),
    "fractions": (lambda: db.IntegerLookup().adapt([1.5]), "needs whole numbers"),
    "too large": (lambda: db.IntegerLookup().adapt([2**40]), "within int32"),
    "twice adapted": (lambda: db.IntegerLookup(vocabulary=[1]).adapt([2]), "a vocabulary already"),
    "no bins": (lambda: db.Discretization([0.0]).adapt([1.0]), "has boundaries already"),
    "only special": (lambda: db.IntegerLookup().adapt([-1, -1]), "no number for a vocabulary"),
    "neither": (lambda: db.Discretization(), "either bin_boundaries or num_bins"),
    "both": (lambda: db.Discretization([0.0], 3), "either bin_boundaries or num_bins"),
    "disorder": (lambda: db.Discretization([1.0, 0.0]), "low to high"),
    "repeated": (lambda: db.IntegerLookup(vocabulary=[3, 3]), "got [3] twice"),
    "padding inside": (lambda: db.IntegerLookup(vocabulary=[3, 0], mask_token=0), "no vocabulary"),
    "too many": (lambda: db.IntegerLookup(2, vocabulary=[3, 4]), "larger than max_tokens"),
    "no weights": (
        lambda: db.IntegerLookup(vocabulary=[3], output_mode="tf_idf"),
        "a weight for each",
    ),
    "useless weights": (
        lambda: db.IntegerLookup(vocabulary=[3], idf_weights=[1.0]),
        "have no effect",
    ),
    "useless padding": (lambda: db.IntegerLookup(pad_to_max_tokens=True), "has no effect"),
    "sparse": (lambda: db.CategoryEncoding(3, sparse=True), "dense arrays"),
    "inverse": (lambda: db.IntegerLookup(invert=True), "get_vocabulary"),
    "hashed": (lambda: db.IntegerLookup(num_oov_indices=3), "num_oov_indices"),
    "bins not found": (
        lambda: run_of(db.Discretization(num_bins=3)),
        "layer = layer.adapt(x)",
    ),
    "no vocabulary": (
        lambda: run_of(db.IntegerLookup(output_mode="count"), dtype="int32"),
        "layer = layer.adapt(x)",
    ),
    "many axes": (
        lambda: run_of(db.CategoryEncoding(3), shape=(2, 2), dtype="int32"),
        "takes n numbers for each example",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said(name):
    make, message = WRONG[name]
    with pytest.raises(DnnbridgeError, match=re.escape(message)):
        make()


def test_a_lookup_of_floats_is_refused():
    with pytest.raises(DTypeError):
        run_of(db.IntegerLookup(vocabulary=[1], output_mode="count"))


def test_a_normalization_that_was_not_adapted_is_noticed(tmp_path):
    with pytest.warns(UnadaptedWarning, match="layer = layer.adapt"):
        run = run_of(db.Sequential([db.Input((4,)), db.Normalization(name="scale")], name="body"))
    run.set_weights({"body/scale/mean": np.ones(4), "body/scale/variance": np.full(4, 4.0)})
    np.testing.assert_allclose(run.predict(np.full((1, 4), 5.0)), np.full((1, 4), 2.0))
    path = run.save(tmp_path / "run.safetensors")
    assert db.load(path, "reference").predict(np.zeros((1, 4))).max() == -0.5  # without a warning


def test_layers_are_equal_after_json():
    for layer in (
        db.Normalization().adapt(DATA),
        db.Discretization(num_bins=4).adapt(DATA),
        db.IntegerLookup(output_mode="tf_idf").adapt([[1, 2], [2, 3]]),
        db.CategoryEncoding(3, "binary"),
    ):
        assert db.AbstractLayer.from_json(layer.to_json()) == layer
        assert eval(repr(layer), vars(db) | {n: getattr(db, n) for n in db.__all__}) == layer


def test_an_unknown_number_is_not_silent():
    """Without a place for unknown numbers, the vector of one is NaN, and a training stops."""
    layer = db.IntegerLookup(vocabulary=[5, 3], num_oov_indices=0, output_mode="count")
    found = run_of(layer, shape=(2,), dtype="int32").predict(np.array([[5, 3], [5, 4]]))
    np.testing.assert_array_equal(found, [[1.0, 1.0], [np.nan, np.nan]])


def test_a_number_on_a_boundary_is_in_the_upper_bin_on_every_backend():
    """0.1 has no exact float32; boundaries are rounded like the numbers of the data."""
    edges = np.array([0.1, 0.2, 0.3, 0.7])
    model = db.Sequential([db.Input((1,)), db.Discretization(edges, output_mode="one_hot")])
    for backend in ("reference", "tensorflow", "mindspore"):
        if backend != "reference":
            pytest.importorskip(backend)
        run = db.compile(db.Experiment(model, "mse", "sgd"), backend)
        assert run.predict(edges[:, None]).argmax(1).tolist() == [1, 2, 3, 4], backend

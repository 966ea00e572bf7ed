"""Independent witnesses: penalties and constraints of Keras, adaptive clipping as in the paper."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.graph import TensorType
from dnnbridge.testing.harness import equation

RNG = np.random.default_rng(0)
MATRIX = RNG.normal(size=(6, 5)).astype("f4")
KERNEL = RNG.normal(size=(3, 2, 4, 5)).astype("f4")


def run(write, *arrays, gradient=True):
    """Return value and gradients from the reference, and the feeds with the value's weights."""
    types = [TensorType(array.shape) for array in arrays]
    made = equation(write, types, arrays, gradient=gradient)
    return made.run(load_backend("reference")), made.feeds


REGULARIZERS = {
    "L1": (db.L1(0.02), "L1", {"l1": 0.02}),
    "L2": (db.L2(0.02), "L2", {"l2": 0.02}),
    "L1L2": (db.L1L2(0.1, 0.2), "L1L2", {"l1": 0.1, "l2": 0.2}),
    "rows": (db.OrthogonalRegularizer(0.3), "OrthogonalRegularizer", {"factor": 0.3}),
    "columns": (
        db.OrthogonalRegularizer(0.3, "columns"),
        "OrthogonalRegularizer",
        {"factor": 0.3, "mode": "columns"},
    ),
}


@pytest.mark.parametrize(("ours", "name", "arguments"), REGULARIZERS.values(), ids=REGULARIZERS)
def test_regularizers_equal_keras(ours, name, arguments):
    keras = pytest.importorskip("keras")
    tf = pytest.importorskip("tensorflow")
    x = tf.Variable(MATRIX)
    with tf.GradientTape() as tape:
        theirs = getattr(keras.regularizers, name)(**arguments)(x)
    found, feeds = run(lambda scope, x: ours.emit(scope, x), MATRIX)
    np.testing.assert_allclose(found["value"], theirs, rtol=1e-6)
    expected = feeds["weights"] * tape.gradient(theirs, x).numpy()
    np.testing.assert_allclose(found["d/input_0"], expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["L1", "L2", "L1L2", "OrthogonalRegularizer"])
def test_regularizers_have_the_defaults_of_keras(name):
    config = getattr(pytest.importorskip("keras").regularizers, name)().get_config()
    ours = getattr(db, name)().to_dict()
    ours.pop("kind")
    assert (
        ours == pytest.approx(config)
        if "mode" not in config
        else ours == config | {"factor": pytest.approx(config["factor"])}
    )


CONSTRAINTS = {
    "MaxNorm": (db.MaxNorm.keras(1.2), "MaxNorm", {"max_value": 1.2}),
    "MaxNorm-axes": (db.MaxNorm.keras(1.2, (0, 1)), "MaxNorm", {"max_value": 1.2, "axis": (0, 1)}),
    "MaxNorm-defaults": (db.MaxNorm.keras(), "MaxNorm", {}),
    "UnitNorm": (db.UnitNorm.keras(), "UnitNorm", {}),
    "UnitNorm-last": (db.UnitNorm.keras(-1), "UnitNorm", {"axis": -1}),
    "NonNeg": (db.NonNeg(), "NonNeg", {}),
    "MinMaxNorm": (db.MinMaxNorm.keras(), "MinMaxNorm", {}),
    "MinMaxNorm-rate": (
        db.MinMaxNorm.keras(1.5, 1.9, 0.3, 0),
        "MinMaxNorm",
        {"min_value": 1.5, "max_value": 1.9, "rate": 0.3},
    ),
}


@pytest.mark.parametrize("array", [MATRIX, KERNEL], ids=["matrix", "kernel"])
@pytest.mark.parametrize(("ours", "name", "arguments"), CONSTRAINTS.values(), ids=CONSTRAINTS)
def test_constraints_equal_keras(ours, name, arguments, array):
    theirs = getattr(pytest.importorskip("keras").constraints, name)(**arguments)(array)
    found, _ = run(lambda scope, x: ours.emit(x), array, gradient=False)
    assert (found["value"] != array).any()
    np.testing.assert_allclose(found["value"], theirs, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize(("shape", "axis"), [((6, 5), 0), ((3, 2, 4, 5), (0, 1, 2))])
def test_norms_are_per_unit_unless_an_axis_is_given(shape, axis):
    theirs = pytest.importorskip("keras").constraints.MaxNorm(0.5, axis)
    array = RNG.normal(size=shape).astype("f4")
    found, _ = run(lambda scope, x: db.MaxNorm(0.5).emit(x), array, gradient=False)
    np.testing.assert_allclose(found["value"], theirs(array), rtol=2e-6)


def unitwise(x):
    """Norms as in the code of the paper: of a vector as a whole, else by output."""
    if x.ndim <= 1:
        return np.linalg.norm(x)
    return np.sqrt((x**2).sum(tuple(range(x.ndim - 1)), keepdims=True))


@pytest.mark.parametrize("shape", [(5,), (6, 5), (3, 2, 4, 5)])
def test_adaptive_clipping_is_that_of_the_paper(shape):
    """Brock et al., 2021, algorithm of section 4: λ = 0.04, ε = 1e-3."""
    weights, gradient = (RNG.normal(size=shape).astype("f4") * s for s in (1.0, 0.4))
    weights[..., 0] = 0.0
    most = 0.04 * np.maximum(unitwise(weights), 1e-3)
    norm = unitwise(gradient)
    expected = np.where(norm > most, gradient * most / np.maximum(norm, 1e-6), gradient)
    rule = db.AdaptiveClip(0.04)
    found, _ = run(lambda scope, g, p: rule.emit([g], [p])[0], gradient, weights, gradient=False)
    assert (expected != gradient).any()
    np.testing.assert_allclose(found["value"], expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("shape", [(5,), (6, 5), (3, 2, 4, 5)])
def test_centralized_gradients_have_mean_0_unit_by_unit(shape):
    gradient = 1.0 + RNG.normal(size=shape).astype("f4")
    rule = db.CentralizeGradients()
    found, _ = run(lambda scope, g: rule.emit([g], [g])[0], gradient, gradient=False)
    mean = gradient.mean(tuple(range(len(shape) - 1)), dtype=float) if len(shape) > 1 else 0.0
    np.testing.assert_allclose(found["value"], gradient - mean, rtol=1e-6, atol=1e-7)

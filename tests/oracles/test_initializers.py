"""Initializers: exact properties, and the distributions of both frameworks' own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from oracles.witnesses import witness

import dnnbridge as db
from dnnbridge.errors import DnnbridgeError
from dnnbridge.initializers import fans

SHAPE = (300, 200)


def draw(initializer, shape=SHAPE, seed=0):
    return initializer.sample(np.random.default_rng(seed), shape)


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize("distribution", ["normal", "truncated_normal", "uniform"])
def test_variance_scaling_has_its_variance(mode, distribution):
    n = {"fan_in": 300, "fan_out": 200, "fan_avg": 250}[mode]
    values = draw(db.VarianceScaling(3.0, mode, distribution))
    assert values.var() == pytest.approx(3.0 / n, rel=0.02)
    assert values.mean() == pytest.approx(0.0, abs=0.002)
    kurtosis = (values**4).mean() / values.var() ** 2
    assert kurtosis == pytest.approx(
        {"normal": 3.0, "truncated_normal": 2.37, "uniform": 1.8}[distribution], abs=0.06
    )


@pytest.mark.parametrize(
    ("activation", "factor"), [("sigmoid", 1.0), ("tanh", 4.0), ("relu", math.sqrt(2))]
)
def test_textbook_table_of_fan_in_and_fan_out(activation, factor):
    """Uniform within factor · √(6 / (in + out)); normal with factor · √(2 / (in + out))."""
    uniform = draw(db.VarianceScaling.for_activation(activation))
    assert np.abs(uniform).max() == pytest.approx(factor * math.sqrt(6 / 500), rel=1e-3)
    normal = draw(db.VarianceScaling.for_activation(activation, "normal"))
    assert normal.std() == pytest.approx(factor * math.sqrt(2 / 500), rel=0.01)


def test_fans_of_kernels():
    assert fans((784, 300)) == (784, 300)
    assert fans((3, 3, 16, 32)) == (144, 288)
    assert fans((7,)) == (7, 7)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (3, 3, 2, 5)])
def test_orthogonal(shape):
    matrix = draw(db.Orthogonal(2.0), shape).reshape(-1, shape[-1])
    gram = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(gram, 4.0 * np.eye(len(gram)), atol=1e-12)


@witness("NumPy", db.Dirac)
def test_dirac_passes_channels_on():
    kernel = draw(db.Dirac(groups=2), (3, 3, 2, 4))
    assert kernel.sum() == 4
    assert kernel[1, 1].tolist() == [[1, 0, 1, 0], [0, 1, 0, 1]]


def test_truncated_normal_bounds():
    values = draw(db.TruncatedNormal(1.0, 0.5, -1.0, 3.0))
    assert values.min() >= 0.5
    assert values.max() <= 2.5
    absolute = draw(db.TruncatedNormal(0.0, 5.0, -2.0, 2.0, absolute=True))
    assert np.abs(absolute).max() <= 2.0


BAD = {
    "identity": (db.Identity(), (3,), "needs a matrix, got shape"),
    "dirac": (db.Dirac(3), (3, 2, 4), "multiple of groups"),
    "orthogonal": (db.Orthogonal(), (3,), "needs a matrix or kernel"),
    "far": (db.TruncatedNormal(0.0, 1.0, 8.0, 9.0), (3,), "less than a thousandth"),
}


@pytest.mark.parametrize(("initializer", "shape", "what"), BAD.values(), ids=BAD)
def test_bad_shapes(initializer, shape, what):
    with pytest.raises(DnnbridgeError, match=what):
        draw(initializer, shape)


def test_unknown_gain():
    with pytest.raises(DnnbridgeError, match="no gain is known"):
        db.VarianceScaling.for_activation("gelu")


def same_distribution(a, b):
    from scipy.stats import ks_2samp

    return ks_2samp(np.ravel(a), np.ravel(b)).pvalue > 1e-3


KERAS = {
    "HeNormal": db.HeNormal(),
    "GlorotNormal": db.GlorotNormal(),
    "LecunNormal": db.LecunNormal(),
    "HeUniform": db.HeUniform(),
    "GlorotUniform": db.GlorotUniform(),
    "LecunUniform": db.LecunUniform(),
    "RandomNormal": db.RandomNormal(),
    "RandomUniform": db.RandomUniform(),
    "TruncatedNormal": db.TruncatedNormal.keras(),
    "VarianceScaling": db.VarianceScaling(),
    "Orthogonal": db.Orthogonal(),
}


@witness("Keras")
@pytest.mark.parametrize(("name", "ours"), KERAS.items(), ids=KERAS)
def test_distributions_equal_keras(name, ours):
    keras = pytest.importorskip("keras")
    native = np.asarray(getattr(keras.initializers, name)(seed=1)(SHAPE))
    assert same_distribution(draw(ours), native)
    assert not same_distribution(1.1 * draw(ours), native)


MINDSPORE = {
    "HeNormal": (db.HeNormal.mindspore(), {}),
    "HeNormal-slope": (db.HeNormal.mindspore(0.5, "fan_out"), (0.5, "fan_out")),
    "HeUniform": (db.HeUniform.mindspore(math.sqrt(5)), (math.sqrt(5),)),
    "XavierNormal": (db.GlorotNormal.mindspore(2.0), (2.0,)),
    "XavierUniform": (db.GlorotUniform.mindspore(), ()),
    "Normal": (db.RandomNormal(stddev=0.01), ()),
    "Uniform": (db.RandomUniform(-0.07, 0.07), ()),
    "TruncatedNormal": (db.TruncatedNormal.mindspore(), ()),
    "TruncatedNormal-cut": (
        db.TruncatedNormal.mindspore(2.0, 0.5, -1.0, 2.0),
        (2.0, 0.5, -1.0, 2.0),
    ),
    "VarianceScaling": (db.VarianceScaling.mindspore(), ()),
}


@pytest.mark.parametrize(("name", "ours", "arguments"), [(k, *v) for k, v in MINDSPORE.items()])
def test_distributions_equal_mindspore(name, ours, arguments):
    common = pytest.importorskip("mindspore.common.initializer")
    import mindspore as ms

    state = np.random.get_state()
    np.random.seed(3)
    made = getattr(common, name.partition("-")[0])(*arguments)
    # MindSpore's matrices are (out, in).
    native = common.initializer(made, SHAPE[::-1], ms.float32).init_data().asnumpy()
    np.random.set_state(state)
    assert same_distribution(draw(ours), native)
    assert not same_distribution(1.1 * draw(ours), native)


def test_dense_of_mindspore_starts_alike():
    ms = pytest.importorskip("mindspore")
    native = ms.nn.Dense(300, 400)
    model = db.Sequential([db.Input((300,)), db.Dense.mindspore(300, 400)])
    experiment = db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1))
    ours = db.compile(experiment, "reference").parameters()
    for name, theirs in (("dense/kernel", native.weight), ("dense/bias", native.bias)):
        drawn = theirs.asnumpy()
        limit = 1 / np.sqrt(300)
        assert np.abs(drawn).max() <= limit * 1.000001
        assert np.abs(ours[name]).max() <= limit
        assert ours[name].std() == pytest.approx(limit / np.sqrt(3), rel=0.1)
        assert drawn.std() == pytest.approx(limit / np.sqrt(3), rel=0.1)

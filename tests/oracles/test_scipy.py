"""Independent witnesses in float64: SciPy's special functions, correlations and distributions."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.witnesses import witness
from scipy import signal, special, stats

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.graph import BATCH, TensorType
from dnnbridge.testing.assertions import assert_close
from dnnbridge.testing.harness import equation

RNG = np.random.default_rng(0)
X = np.linspace(-30.0, 30.0, 120).reshape(8, 15).astype(np.float32)
LOGITS, LABEL = RNG.normal(0, 3, (9, 5)), RNG.integers(0, 5, 9)
P = special.softmax(LOGITS, -1)
COUNTS = np.round(np.abs(LOGITS))
Q = special.softmax(RNG.normal(0, 2, (9, 5)), -1)


def evaluated(spec, *arrays):
    """Return the weights that were drawn and the value, of the reference."""
    arrays = [a.astype(np.float32) if a.dtype.kind == "f" else a for a in map(np.asarray, arrays)]
    types = [
        TensorType((BATCH, *a.shape[1:]), "float32" if a.dtype.kind == "f" else "int32")
        for a in arrays
    ]
    built = equation(lambda scope, *v: scope.call(spec, *v), types, arrays, gradient=False)
    return built.feeds, built.run(load_backend("reference"))["value"]


ACTIVATIONS = {
    "sigmoid": (db.Sigmoid(), special.expit),
    "log_sigmoid": (db.LogSigmoid(), special.log_expit),
    "softmax": (db.Softmax(), lambda x: special.softmax(x, -1)),
    "log_softmax": (db.LogSoftmax(), lambda x: special.log_softmax(x, -1)),
    "softplus": (db.Softplus(), lambda x: special.logsumexp([x, 0 * x], axis=0)),
    "gelu": (db.GELU(False), lambda x: x * stats.norm.cdf(x)),
    "silu": (db.SiLU(), lambda x: x * special.expit(x)),
    "tanh": (db.Tanh(), lambda x: 2 * special.expit(2 * x) - 1),
    "elu": (
        db.ELU(0.7),
        lambda x: np.maximum(x, 0) + 0.7 * special.boxcox(np.exp(np.minimum(x, 0)), 1.0),
    ),
    "mish": (db.Mish(), lambda x: x * np.tanh(-special.log_expit(-x))),
}


@witness("SciPy")
@pytest.mark.parametrize(("ours", "theirs"), ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_activations_equal_scipy(ours, theirs):
    _, found = evaluated(ours, X)
    assert_close(found, theirs(X.astype(float)), 1e-14, str(ours))


LOSSES = {
    "kl": (db.KLDivergence(), P, Q, special.rel_entr(Q, P).sum(-1)),
    "binary": (
        db.BinaryCrossentropy(),
        P,
        Q,
        -(special.xlogy(Q, P) + special.xlog1py(1 - Q, -P)).mean(-1),
    ),
    "one_hot": (
        db.CategoricalCrossentropy(),
        P,
        Q,
        (special.entr(Q) + special.rel_entr(Q, P)).sum(-1),
    ),
    "sparse": (
        db.SparseCategoricalCrossentropy(True),
        LOGITS,
        LABEL,
        -special.log_softmax(LOGITS, -1)[np.arange(9), LABEL],
    ),
    "huber": (db.Huber(0.7), LOGITS, P, special.huber(0.7, LOGITS - P).mean(-1)),
    "log_cosh": (
        db.LogCosh(),
        LOGITS,
        P,
        (special.logsumexp([LOGITS - P, P - LOGITS], axis=0) - np.log(2)).mean(-1),
    ),
    "poisson": (
        db.Poisson(),
        P + 0.5,
        COUNTS,
        (-stats.poisson.logpmf(COUNTS, P + 0.5) - special.gammaln(COUNTS + 1)).mean(-1),
    ),
}


@witness("SciPy")
@pytest.mark.parametrize(("ours", "p", "y", "expected"), LOSSES.values(), ids=LOSSES)
def test_losses_equal_scipy(ours, p, y, expected):
    _, found = evaluated(ours, p, y)
    assert_close(found, expected, 2e-6, str(ours))  # the arrays are rounded to float32, ε is 1e-7


def correlated(x, kernel, mode):
    """Return the sum over input channels of correlations, for every output channel."""
    channels = range(kernel.shape[-1])
    return np.stack(
        [
            sum(signal.correlate(x[..., i], kernel[..., i, o], mode) for i in range(x.shape[-1]))
            for o in channels
        ],
        -1,
    )


@witness("SciPy", db.Conv1D, db.Conv2D, db.Conv3D)
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_convolutions_are_the_correlations_of_scipy(axes, padding):
    x = RNG.normal(size=(*(2, 7, 6, 5)[: axes + 1], 3)).astype(np.float32)
    layer = getattr(db, f"Conv{axes}D")(4, 3, padding=padding)
    feeds, found = evaluated(layer, x)
    for example, value in zip(x, found, strict=True):
        expected = correlated(example.astype(float), feeds["kernel"].astype(float), padding)
        assert_close(value, expected + feeds["bias"].astype(float), 1e-12, str(layer))


@witness("SciPy", db.Conv1DTranspose, db.Conv2DTranspose, db.Conv3DTranspose)
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_transposed_convolutions_are_the_convolutions_of_scipy(axes):
    x = RNG.normal(size=(*(2, 5, 4, 3)[: axes + 1], 3)).astype(np.float32)
    layer = getattr(db, f"Conv{axes}DTranspose")(4, 3)
    feeds, found = evaluated(layer, x)
    kernel = feeds["kernel"].astype(float)  # (…, out, in)
    for example, value in zip(x.astype(float), found, strict=True):
        expected = np.stack(
            [
                sum(signal.convolve(example[..., i], kernel[..., o, i]) for i in range(3))
                for o in range(4)
            ],
            -1,
        )
        assert_close(value, expected + feeds["bias"].astype(float), 1e-12, str(layer))


@witness("SciPy", db.DepthwiseConv2D)
def test_depthwise_and_separable_are_correlations_channel_by_channel():
    x = RNG.normal(size=(1, 7, 6, 3)).astype(np.float32)
    feeds, found = evaluated(db.DepthwiseConv2D(3, depth_multiplier=2), x)
    kernel = next(a for name, a in feeds.items() if "kernel" in name).astype(float)
    expected = [
        signal.correlate(x[0, ..., c].astype(float), kernel[..., c, m], "valid")
        for c in range(3)
        for m in range(2)
    ]
    assert_close(found[0], np.stack(expected, -1) + feeds["bias"].astype(float), 1e-12, "depthwise")


DISTRIBUTIONS = {
    "RandomNormal": (db.RandomNormal(1.0, 0.5), stats.norm(1.0, 0.5)),
    "RandomUniform": (db.RandomUniform(-2.0, 3.0), stats.uniform(-2.0, 5.0)),
    "TruncatedNormal": (db.TruncatedNormal(0.0, 0.3), stats.truncnorm(-2, 2, 0.0, 0.3)),
    "GlorotUniform": (db.GlorotUniform(), stats.uniform(-0.1, 0.2)),
    "HeNormal": (
        db.HeNormal(),
        stats.truncnorm(-2, 2, 0.0, np.sqrt(2 / 400) / stats.truncnorm(-2, 2).std()),
    ),
    "LecunUniform": (db.LecunUniform(), stats.uniform(-np.sqrt(3) / 20, np.sqrt(3) / 10)),
}


@witness("SciPy")
@pytest.mark.parametrize(("ours", "theirs"), DISTRIBUTIONS.values(), ids=DISTRIBUTIONS)
def test_initializers_draw_from_the_distributions_of_scipy(ours, theirs):
    drawn = ours.sample(np.random.default_rng(0), (400, 200)).ravel()
    assert stats.kstest(drawn, theirs.cdf).pvalue > 1e-3
    assert stats.kstest(1.05 * drawn, theirs.cdf).pvalue < 1e-3

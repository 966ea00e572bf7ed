"""Independent witnesses: native classes of both frameworks, where they are right.

An equation written once can be wrong once; these are implementations that are not ours.
"""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.graph import BATCH, TensorType
from dnnbridge.plugins import load_backend
from dnnbridge.testing.assertions import assert_close, assert_near
from dnnbridge.testing.cases.optimizer_cases import CHANGING, OPTIMIZER_CASES
from dnnbridge.testing.harness import equation, trajectory

STEPS = 40
START = OPTIMIZER_CASES[0].start
GRADIENTS = OPTIMIZER_CASES[0].gradients[:STEPS]
RATES = CHANGING.values(STEPS)


def keras_trajectory(optimizer):
    import keras

    variable = keras.Variable(START)
    optimizer.build([variable])
    for rate, gradient in zip(RATES, GRADIENTS, strict=True):
        optimizer.learning_rate = rate
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return np.asarray(variable)


def mindspore_trajectory(make):
    import mindspore as ms

    parameter = ms.Parameter(ms.Tensor(START), name="p")
    optimizer = make([parameter], RATES)
    for gradient in GRADIENTS:
        optimizer((ms.Tensor(gradient),))
    return parameter.asnumpy().copy()


KERAS = {
    "sgd": (db.SGD.keras(CHANGING), "SGD", {}),
    "momentum": (db.SGD.keras(CHANGING, 0.9), "SGD", {"momentum": 0.9}),
    "nesterov": (
        db.SGD.keras(CHANGING, 0.9, True),
        "SGD",
        {"momentum": 0.9, "nesterov": True},
    ),
    "adam": (db.Adam.keras(CHANGING), "Adam", {}),
    "adam-betas": (
        db.Adam.keras(CHANGING, 0.5, 0.9, 1e-3),
        "Adam",
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    ),
}


@pytest.mark.parametrize(("ours", "name", "arguments"), KERAS.values(), ids=KERAS)
def test_optimizers_reproduce_keras(ours, name, arguments):
    keras = pytest.importorskip("keras")
    theirs = keras_trajectory(getattr(keras.optimizers, name)(learning_rate=0.1, **arguments))
    found = trajectory(load_backend("reference"), ours, START, GRADIENTS)["p"]
    assert_near(theirs, found, 2e-5, name)


MINDSPORE = {
    "sgd": (db.SGD.mindspore(CHANGING), "SGD", {}),
    "momentum": (db.SGD.mindspore(CHANGING, 0.9), "SGD", {"momentum": 0.9}),
    "dampening": (
        db.SGD.mindspore(CHANGING, 0.9, 0.3),
        "SGD",
        {"momentum": 0.9, "dampening": 0.3},
    ),
    "nesterov": (
        db.SGD.mindspore(CHANGING, 0.9, nesterov=True),
        "SGD",
        {"momentum": 0.9, "nesterov": True},
    ),
    "adam": (db.Adam.mindspore(CHANGING), "Adam", {}),
    "adam-betas": (
        db.Adam.mindspore(CHANGING, 0.5, 0.9, 1e-3),
        "Adam",
        {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3},
    ),
}


@pytest.mark.parametrize(("ours", "name", "arguments"), MINDSPORE.values(), ids=MINDSPORE)
def test_optimizers_reproduce_mindspore(ours, name, arguments):
    nn = pytest.importorskip("mindspore").nn
    theirs = mindspore_trajectory(
        lambda parameters, rates: getattr(nn, name)(parameters, learning_rate=rates, **arguments)
    )
    found = trajectory(load_backend("reference"), ours, START, GRADIENTS)["p"]
    assert_near(theirs, found, 2e-5, name)


def test_the_two_momentum_conventions_differ_once_the_rate_changes():
    reference = load_backend("reference")
    a, b = (
        trajectory(reference, optimizer, START, GRADIENTS)["p"]
        for optimizer in (db.SGD.keras(CHANGING, 0.9), db.SGD.mindspore(CHANGING, 0.9))
    )
    assert np.abs(a - b).max() > 1.0


RNG = np.random.default_rng(0)
LOGITS, LABEL = RNG.normal(0, 2, (9, 5)), RNG.integers(0, 5, 9)
ONE_HOT = np.eye(5)[LABEL]
P = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)

LOSSES = {
    "sparse": (
        db.SparseCategoricalCrossEntropy(from_logits=True),
        "SparseCategoricalCrossentropy",
        {"from_logits": True},
        LOGITS,
        LABEL,
    ),
    "sparse-probabilities": (
        db.SparseCategoricalCrossEntropy(),
        "SparseCategoricalCrossentropy",
        {},
        P,
        LABEL,
    ),
    "one_hot": (
        db.CategoricalCrossEntropy(from_logits=True),
        "CategoricalCrossentropy",
        {"from_logits": True},
        LOGITS,
        ONE_HOT,
    ),
    "one_hot-probabilities": (
        db.CategoricalCrossEntropy(),
        "CategoricalCrossentropy",
        {},
        P,
        ONE_HOT,
    ),
    "mse": (db.MeanSquaredError(), "MeanSquaredError", {}, LOGITS, P),
}


@pytest.mark.parametrize(
    ("ours", "name", "arguments", "prediction", "target"), LOSSES.values(), ids=LOSSES
)
def test_losses_equal_keras(ours, name, arguments, prediction, target):
    keras = pytest.importorskip("keras")
    theirs = getattr(keras.losses, name)(reduction="none", **arguments)(target, prediction)
    types = [
        TensorType((BATCH, *a.shape[1:]), "int32" if a.dtype.kind == "i" else "float32")
        for a in (prediction, target)
    ]
    found = equation(
        lambda scope, p, t: scope.call(ours, p, t), types, [prediction, target], gradient=False
    ).run(load_backend("reference"))
    assert_close(np.asarray(theirs), found["value"], 2e-6, name)


ACTIVATIONS = {
    "relu": db.ReLU(),
    "leaky_relu": db.LeakyReLU(),
    "sigmoid": db.Sigmoid(),
    "tanh": db.Tanh(),
    "softplus": db.Softplus(),
    "softmax": db.Softmax(),
    "relu6": db.ReLU6(),
    "elu": db.ELU(),
    "celu": db.CELU(),
    "selu": db.SELU(),
    "gelu": db.GELU.keras(),
    "silu": db.SiLU(),
    "mish": db.Mish(),
    "softsign": db.Softsign(),
    "hard_sigmoid": db.HardSigmoid(),
    "hard_swish": db.HardSwish(),
    "log_sigmoid": db.LogSigmoid(),
    "log_softmax": db.LogSoftmax(),
}


@pytest.mark.parametrize(("name", "ours"), ACTIVATIONS.items(), ids=ACTIVATIONS)
def test_activations_equal_keras(name, ours):
    keras = pytest.importorskip("keras")
    x = np.linspace(-20, 20, 84).reshape(12, 7).astype(np.float32)
    found = equation(
        lambda scope, v: scope.call(ours, v), [TensorType((BATCH, 7))], [x], gradient=False
    ).run(load_backend("reference"))
    assert_close(np.asarray(getattr(keras.activations, name)(x)), found["value"], 2e-6, name)


def value_of(ours, x):
    """Return what the reference computes, with parameters as they start."""
    model = db.Sequential([db.Input(x.shape[1:]), ours])
    experiment = db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1))
    return db.compile(experiment, "reference").predict(x)


@pytest.mark.parametrize(
    ("ours", "make"),
    [
        (db.GELU(True), lambda keras: lambda x: keras.activations.gelu(x, approximate=True)),
        (db.ELU(0.3), lambda keras: keras.layers.ELU(alpha=0.3)),
        (db.CELU(2.5), lambda keras: lambda x: keras.activations.celu(x, alpha=2.5)),
        (db.LeakyReLU.keras(), lambda keras: keras.layers.LeakyReLU()),
        (db.PReLU.keras(), lambda keras: keras.layers.PReLU()),
        (
            db.PReLU.keras(db.Constant(0.7)),
            lambda keras: keras.layers.PReLU(keras.initializers.Constant(0.7)),
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, db.Spec) else "",
)
def test_activations_with_arguments_equal_keras(ours, make):
    keras = pytest.importorskip("keras")
    x = np.linspace(-20, 20, 84).reshape(12, 7).astype(np.float32)
    assert_close(np.asarray(make(keras)(x)), value_of(ours, x), 2e-6, str(ours))


@pytest.mark.parametrize(
    ("ours", "name", "tolerance"),
    [
        (db.LeakyReLU.mindspore(), "LeakyReLU", 2e-6),
        (db.PReLU.mindspore(), "PReLU", 2e-6),
        (db.GELU.mindspore(), "GELU", 4e-6),
        (db.ELU(), "ELU", 4e-6),
        (db.CELU(), "CELU", 4e-6),
        (db.SELU(), "SeLU", 4e-6),
        (db.HardSigmoid(), "HSigmoid", 2e-6),
        (db.HardSwish(), "HSwish", 2e-6),
        (db.SiLU(), "SiLU", 4e-6),
        (db.Mish(), "Mish", 4e-6),
        (db.Softsign(), "Softsign", 2e-6),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_activations_equal_mindspore(ours, name, tolerance):
    ms = pytest.importorskip("mindspore")
    x = np.linspace(-20, 20, 84).reshape(12, 7).astype(np.float32)
    theirs = getattr(ms.nn, name)()(ms.Tensor(x)).asnumpy()
    assert_close(theirs, value_of(ours, x), tolerance, name)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (db.HeNormal(), "HeNormal"),
        (db.GlorotNormal(), "GlorotNormal"),
        (db.LecunNormal(), "LecunNormal"),
        (db.HeUniform(), "HeUniform"),
        (db.GlorotUniform(), "GlorotUniform"),
        (db.LecunUniform(), "LecunUniform"),
        (db.RandomNormal(), "RandomNormal"),
        (db.RandomUniform(), "RandomUniform"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_initializers_have_the_distribution_of_keras(ours, theirs):
    from scipy.stats import ks_2samp

    keras = pytest.importorskip("keras")
    shape = (300, 200)
    native = np.asarray(getattr(keras.initializers, theirs)(seed=1)(shape)).ravel()
    assert ks_2samp(ours.sample(np.random.default_rng(0), shape).ravel(), native).pvalue > 1e-3

"""Independent witnesses: activations of both frameworks, where those are right.

All backends share our one equation, so a mistake in it needs an independent implementation.
"""

from __future__ import annotations

import numpy as np
import pytest
from oracles.witnesses import witness

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.graph import BATCH, TensorType
from dnnbridge.testing.assertions import assert_close
from dnnbridge.testing.harness import equation

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
    "hard_tanh": db.HardTanh(),
    "exponential": db.Exponential(),
    "squareplus": db.SquarePlus(),
    "tanh_shrink": db.TanhShrink(),
    "soft_shrink": db.SoftShrink(),
    "hard_shrink": db.HardShrink(),
    "sparse_plus": db.SparsePlus(),
    "sparse_sigmoid": db.SparseSigmoid(),
}


@witness("Keras")
@pytest.mark.parametrize(("name", "ours"), ACTIVATIONS.items(), ids=ACTIVATIONS)
def test_activations_equal_keras(name, ours):
    keras = pytest.importorskip("keras")
    x = np.linspace(-20, 20, 84).reshape(12, 7).astype(np.float32)
    found = equation(
        lambda scope, v: scope.call(ours, v), [TensorType((BATCH, 7))], [x], gradient=False
    ).run(load_backend("reference"))
    assert_close(np.asarray(getattr(keras.activations, name)(x)), found["value"], 2e-6, name)


def value_of(ours, x):
    """Return the results of the reference, with the initial parameters."""
    model = db.Sequential([db.Input(x.shape[1:]), ours])
    experiment = db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1))
    return db.compile(experiment, "reference").predict(x)


@witness("Keras")
@pytest.mark.parametrize(
    ("ours", "make"),
    [
        (db.GELU(True), lambda keras: lambda x: keras.activations.gelu(x, approximate=True)),
        (db.ELU(0.3), lambda keras: keras.layers.ELU(alpha=0.3)),
        (db.CELU(2.5), lambda keras: lambda x: keras.activations.celu(x, alpha=2.5)),
        (db.LeakyReLU.keras(), lambda keras: keras.layers.LeakyReLU()),
        (db.ReLU.keras(4.0, 0.1, 1.0), lambda keras: keras.layers.ReLU(4.0, 0.1, 1.0)),
        (
            db.Threshold(1.0, 0.25),
            lambda keras: lambda x: keras.activations.threshold(x, 1.0, 0.25),
        ),
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


@witness("MindSpore")
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
        (db.HardTanh(), "Hardtanh", 2e-6),
        (db.TanhShrink(), "Tanhshrink", 1e-4),  # the error of MindSpore's tanh
        (db.SoftShrink(), "SoftShrink", 2e-6),
        (db.HardShrink(), "HShrink", 2e-6),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_activations_equal_mindspore(ours, name, tolerance):
    ms = pytest.importorskip("mindspore")
    x = np.linspace(-20, 20, 84).reshape(12, 7).astype(np.float32)
    theirs = getattr(ms.nn, name)()(ms.Tensor(x)).asnumpy()
    assert_close(theirs, value_of(ours, x), tolerance, name)

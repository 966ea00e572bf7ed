"""Independent witnesses: optimizers of both frameworks' own classes, where those are right.

An equation written once can be wrong once; these are implementations that are not ours.
"""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.plugins import load_backend
from dnnbridge.testing.assertions import assert_near
from dnnbridge.testing.cases.optimizer_cases import CHANGING, OPTIMIZER_CASES
from dnnbridge.testing.harness import trajectory

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
    "amsgrad": (
        db.Adam.keras(CHANGING, beta_2=0.9, amsgrad=True),
        "Adam",
        {"beta_2": 0.9, "amsgrad": True},
    ),
    "adagrad": (db.Adagrad.keras(CHANGING), "Adagrad", {}),
    "adagrad-epsilon": (
        db.Adagrad.keras(CHANGING, 0.5, 1e-2),
        "Adagrad",
        {"initial_accumulator_value": 0.5, "epsilon": 1e-2},
    ),
    "rmsprop": (db.RMSProp.keras(CHANGING), "RMSprop", {}),
    "rmsprop-momentum": (
        db.RMSProp.keras(CHANGING, 0.8, 0.9, 1e-4),
        "RMSprop",
        {"rho": 0.8, "momentum": 0.9, "epsilon": 1e-4},
    ),
    "rmsprop-centered": (
        db.RMSProp.keras(CHANGING, 0.8, 0.0, 1e-3, True),
        "RMSprop",
        {"rho": 0.8, "epsilon": 1e-3, "centered": True},
    ),
    "adadelta": (db.Adadelta.keras(CHANGING), "Adadelta", {}),
    "adamax": (db.Adamax.keras(CHANGING), "Adamax", {}),
    "nadam": (db.Nadam.keras(CHANGING), "Nadam", {}),
    "lion": (db.Lion.keras(CHANGING), "Lion", {}),
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
    "amsgrad": (
        db.Adam.mindspore(CHANGING, 0.9, 0.9, use_amsgrad=True),
        "Adam",
        {"beta2": 0.9, "use_amsgrad": True},
    ),
    "adam-nesterov": (
        db.Adam.mindspore(CHANGING, use_nesterov=True),
        "Adam",
        {"use_nesterov": True},
    ),
    "adagrad": (db.Adagrad.mindspore(CHANGING, 0.5), "Adagrad", {"accum": 0.5}),
    "rmsprop-centered": (
        db.RMSProp.mindspore(CHANGING, 0.8, 0.5, 1e-3, True),
        "RMSProp",
        {"decay": 0.8, "momentum": 0.5, "epsilon": 1e-3, "centered": True},
    ),
    "adadelta": (db.Adadelta.mindspore(CHANGING), "Adadelta", {}),
    "adamax": (db.Adamax.mindspore(CHANGING), "AdaMax", {}),
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

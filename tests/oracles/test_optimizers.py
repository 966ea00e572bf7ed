"""Independent witnesses: optimizers of both frameworks, where those are right.

All backends share our one equation, so a mistake in it needs an independent implementation.
"""

from __future__ import annotations

import numpy as np
import pytest
from oracles.witnesses import witness

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.testing.assertions import assert_near
from dnnbridge.testing.cases.optimizer_cases import CHANGING, MOMENTUM, OPTIMIZER_CASES
from dnnbridge.testing.harness import trajectory

STEPS = 40
START = OPTIMIZER_CASES[0].start
GRADIENTS = OPTIMIZER_CASES[0].gradients[:STEPS]
RATES = CHANGING.values(STEPS)
FLAT = db.PiecewiseConstant((3,), (0.9, 0.9))


TOLERANCE = 1e-5

CANCELLING = {"Ftrl": 1e-4, "FTRL": 1e-4}
"""Tolerance of Ftrl. The native classes compute the difference √(n + g²) - √n itself.
`test_optimizer_papers.py` shows that this alone causes such errors of small float32 gradients."""


def keras_trajectory(optimizer, start=START, gradients=GRADIENTS):
    import keras

    variable = keras.Variable(start)
    optimizer.build([variable])
    for rate, gradient in zip(RATES, gradients, strict=True):
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


def assert_reproduced(theirs, ours, name):
    """Compare whole arrays, and the rows of each magnitude of gradients."""
    found = trajectory(load_backend("reference"), ours, START, GRADIENTS)["p"]
    assert_near(theirs, found, TOLERANCE, name)
    for scale, rows in OPTIMIZER_CASES[0].parts(found.shape):
        what = f"{name}, gradients of {scale:g}"
        assert_near(theirs[rows], found[rows], CANCELLING.get(name, TOLERANCE), what)


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
    "rmsprop": (db.RMSprop.keras(CHANGING), "RMSprop", {}),
    "rmsprop-momentum": (
        db.RMSprop.keras(CHANGING, 0.8, 0.9, 1e-4),
        "RMSprop",
        {"rho": 0.8, "momentum": 0.9, "epsilon": 1e-4},
    ),
    "rmsprop-centered": (
        db.RMSprop.keras(CHANGING, 0.8, 0.0, 1e-3, True),
        "RMSprop",
        {"rho": 0.8, "epsilon": 1e-3, "centered": True},
    ),
    "adadelta": (db.Adadelta.keras(CHANGING), "Adadelta", {}),
    "adamax": (db.Adamax.keras(CHANGING), "Adamax", {}),
    "nadam": (db.Nadam.keras(CHANGING), "Nadam", {}),
    "lion": (db.Lion.keras(CHANGING), "Lion", {}),
    "adamw": (db.AdamW.keras(CHANGING, 0.02), "AdamW", {"weight_decay": 0.02}),
    "adamw-defaults": (db.AdamW.keras(CHANGING), "AdamW", {}),
    **{
        f"{name}-decay": (
            getattr(db, name).keras(CHANGING, weight_decay=0.02),
            name,
            {"weight_decay": 0.02},
        )
        for name in (*("SGD", "Adam", "Adagrad", "Adadelta", "Adamax", "Nadam", "Lion", "RMSprop"),)
    },
    "lamb": (db.Lamb.keras(CHANGING), "Lamb", {}),
    "lamb-betas": (
        db.Lamb.keras(CHANGING, 0.5, 0.9, 1e-3),
        "Lamb",
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    ),
    "adafactor": (db.Adafactor.keras(CHANGING), "Adafactor", {}),
    "adafactor-arguments": (
        db.Adafactor.keras(CHANGING, -0.5, 1e-20, 1e-2, 0.5),
        "Adafactor",
        {"beta_2_decay": -0.5, "epsilon_1": 1e-20, "epsilon_2": 1e-2, "clip_threshold": 0.5},
    ),
    "ftrl": (db.Ftrl.keras(CHANGING), "Ftrl", {}),
    "ftrl-penalties": (
        db.Ftrl.keras(CHANGING, -0.5, 0.2, 0.05, 0.1, 0.01, 0.5),
        "Ftrl",
        {
            "initial_accumulator_value": 0.2,
            "l1_regularization_strength": 0.05,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.01,
            "beta": 0.5,
        },
    ),
    "ftrl-power": (
        db.Ftrl.keras(CHANGING, -0.3, l1_regularization_strength=0.05),
        "Ftrl",
        {"learning_rate_power": -0.3, "l1_regularization_strength": 0.05},
    ),
    "average": (
        db.ExponentialMovingAverage(db.SGD.keras(CHANGING, 0.9), 0.8, overwrite_every=10),
        "SGD",
        {"momentum": 0.9, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 10},
    ),
}


@witness("Keras")
@pytest.mark.parametrize(("ours", "name", "arguments"), KERAS.values(), ids=KERAS)
def test_optimizers_reproduce_keras(ours, name, arguments):
    keras = pytest.importorskip("keras")
    theirs = keras_trajectory(getattr(keras.optimizers, name)(learning_rate=0.1, **arguments))
    assert_reproduced(theirs, ours, name)


@pytest.mark.parametrize("shape", [(36,), (4, 3, 3), (2, 2, 3, 3)], ids=str)
@pytest.mark.parametrize("name", ["Adafactor", "Lamb"])
def test_shapes_mean_the_same_as_in_keras(name, shape):
    keras = pytest.importorskip("keras")
    ours = {"Adafactor": db.Adafactor, "Lamb": db.Lamb}[name].keras(CHANGING)
    start = START.reshape(shape) * np.float32(1e-5)  # below Adafactor's second epsilon
    gradients = GRADIENTS.reshape(STEPS, *shape)
    theirs = keras_trajectory(getattr(keras.optimizers, name)(0.1), start, gradients)
    found = trajectory(load_backend("reference"), ours, start, gradients)["p"]
    assert_near(theirs, found, TOLERANCE, name)


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
    "adagrad-from-0": (db.Adagrad.mindspore(CHANGING, 0.0), "Adagrad", {"accum": 0.0}),
    "rmsprop-centered": (
        db.RMSprop.mindspore(CHANGING, 0.8, 0.5, 1e-3, True),
        "RMSProp",
        {"decay": 0.8, "momentum": 0.5, "epsilon": 1e-3, "centered": True},
    ),
    "adadelta": (db.Adadelta.mindspore(CHANGING), "Adadelta", {}),
    "adamax": (db.Adamax.mindspore(CHANGING), "AdaMax", {}),
    "adamw": (
        db.AdamW.mindspore(CHANGING, weight_decay=0.02),
        "AdamWeightDecay",
        {"weight_decay": 0.02},
    ),
    "adamw-defaults": (db.AdamW.mindspore(CHANGING), "AdamWeightDecay", {}),
    "rmsprop-decay": (
        db.RMSprop.mindspore(CHANGING, 0.8, 0.5, 1e-3, True, weight_decay=0.02),
        "RMSProp",
        {"decay": 0.8, "momentum": 0.5, "epsilon": 1e-3, "centered": True, "weight_decay": 0.02},
    ),
    "momentum-decay": (
        db.SGD.mindspore(CHANGING, 0.9, weight_decay=0.02),
        "SGD",
        {"momentum": 0.9, "weight_decay": 0.02},
    ),
    **{
        f"{name}-decay": (
            getattr(db, ours).mindspore(CHANGING, weight_decay=0.02),
            name,
            {"weight_decay": 0.02},
        )
        for name, ours in {
            **{name: name for name in ("SGD", "Adam", "Adagrad", "Adadelta")},
            "AdaMax": "Adamax",
        }.items()
    },
    "proximal-adagrad": (
        db.ProximalAdagrad.mindspore(CHANGING, 0.5, 0.05, 0.1),
        "ProximalAdagrad",
        {"accum": 0.5, "l1": 0.05, "l2": 0.1},
    ),
    "rprop": (
        db.Rprop.mindspore(0.1, (0.6, 1.5), (1e-3, 2.0)),
        "Rprop",
        {"etas": (0.6, 1.5), "step_sizes": (1e-3, 2.0), "learning_rate": 0.1},
    ),
    "asgd": (
        db.ASGD.mindspore(CHANGING, 0.01, 0.6, 5.0),
        "ASGD",
        {"lambd": 0.01, "alpha": 0.6, "t0": 5.0},
    ),
    "ftrl": (
        db.Ftrl.mindspore(0.1, 0.2, l2=0.1),
        "FTRL",
        {"learning_rate": 0.1, "initial_accum": 0.2, "l2": 0.1},
    ),
    "adafactor": (db.Adafactor.mindspore(), "AdaFactor", {"learning_rate": None}),
    "adafactor-manual": (
        db.Adafactor.mindspore(0.1, (1e-20, 1e-2), 0.5, 0.6, 0.0, False),
        "AdaFactor",
        {
            "learning_rate": 0.1,
            "eps": (1e-20, 1e-2),
            "clip_threshold": 0.5,
            "decay_rate": 0.6,
            "beta1": 0.0,
            "scale_parameter": False,
            "relative_step": False,
        },
    ),
    "adafactor-warmup": (
        db.Adafactor.mindspore(warmup_init=True),
        "AdaFactor",
        {"learning_rate": None, "warmup_init": True},
    ),
}


@witness("MindSpore")
@pytest.mark.parametrize(("ours", "name", "arguments"), MINDSPORE.values(), ids=MINDSPORE)
def test_optimizers_reproduce_mindspore(ours, name, arguments):
    nn = pytest.importorskip("mindspore").nn
    theirs = mindspore_trajectory(
        lambda parameters, rates: getattr(nn, name)(
            parameters, **({"learning_rate": rates} | arguments)
        )
    )
    assert_reproduced(theirs, ours, name)


@witness("MindSpore", db.ASGD)
def test_asgd_averages_as_mindspore_does():
    ms = pytest.importorskip("mindspore")
    parameter = ms.Parameter(ms.Tensor(START), name="p")
    theirs = ms.nn.ASGD([parameter], RATES, lambd=0.01, alpha=0.6, t0=5.0)
    for gradient in GRADIENTS:
        theirs((ms.Tensor(gradient),))
    ours = db.ASGD.mindspore(CHANGING, 0.01, 0.6, 5.0)
    found = trajectory(load_backend("reference"), ours, START, GRADIENTS)["p:average"]
    assert_near(theirs.ax[0].asnumpy(), found, TOLERANCE, "average")


@witness("MindSpore", db.LazyAdam)
@pytest.mark.parametrize("nesterov", [False, True])
def test_lazy_adam_moves_the_rows_that_mindspore_moves(nesterov):
    """The table is an EmbeddingLookup. With nn.Embedding, LazyAdam moves every row like Adam."""
    ms = pytest.importorskip("mindspore")
    from dnnbridge_mindspore.executable import graph_mode

    table = ms.nn.EmbeddingLookup(12, 3, sparse=True)
    table.embedding_table.set_data(ms.Tensor(START))
    native = ms.nn.LazyAdam(table.trainable_params(), 0.05, use_nesterov=nesterov)
    native.target = "CPU"
    batches = np.array([[3, 1, 3], [2, 11, 1], [3, 3, 3], [0, 1, 2]] * 3, np.int32)
    weights = np.linspace(0.5, 1.5, 9, dtype=np.float32).reshape(3, 3)

    class Loss(ms.nn.Cell):
        def __init__(self):
            super().__init__()
            self.table, self.weights = table, ms.Tensor(weights)

        def construct(self, x):
            return (self.table(x) * self.weights).sum()

    step = ms.nn.TrainOneStepCell(Loss(), native).set_train()
    gradients = np.zeros((len(batches), 12, 3), np.float32)
    with graph_mode():  # the other mode has no sparse gradients
        for batch, gradient in zip(batches, gradients, strict=True):
            step(ms.Tensor(batch[None]))
            np.add.at(gradient, batch, weights)
    ours = db.LazyAdam.mindspore(0.05, use_nesterov=nesterov).replace(lazy=("p",))
    found = trajectory(load_backend("reference"), ours, START, gradients)
    assert_near(table.embedding_table.asnumpy(), found["p"], TOLERANCE, "LazyAdam")
    never = np.setdiff1d(np.arange(12), batches)
    assert (found["p"][never] == START[never]).all()
    assert len(never) > 3


def test_adamw_without_epsilon_hat_is_the_experimental_one_of_mindspore():
    ms = pytest.importorskip("mindspore")
    from mindspore.experimental import optim

    parameter = ms.Parameter(ms.Tensor(START), name="p")
    theirs = optim.AdamW([parameter], 0.05, (0.8, 0.99), 1e-3, 0.1)
    for gradient in GRADIENTS:
        theirs((ms.Tensor(gradient),))
    more = {"epsilon_hat": False, "weight_decay": 0.1}
    ours = db.AdamW(0.05, beta_1=0.8, beta_2=0.99, epsilon=1e-3, **more)
    found = trajectory(load_backend("reference"), ours, START, GRADIENTS)["p"]
    assert_near(parameter.asnumpy(), found, 1e-5, "AdamW")


def test_mindspore_decays_neither_beta_nor_gamma_unless_in_groups():
    ms = pytest.importorskip("mindspore")
    parameters = [ms.Parameter(ms.Tensor(START), name=name) for name in ("p", "norm.gamma")]
    optimizer = ms.nn.SGD(parameters, 0.1, weight_decay=0.5)
    optimizer((ms.ops.zeros_like(parameters[0]), ms.ops.zeros_like(parameters[1])))
    decayed, exempt = (p.asnumpy() for p in parameters)
    np.testing.assert_allclose(decayed, START * 0.95, rtol=1e-6)
    np.testing.assert_array_equal(exempt, START)
    decay = db.SGD.mindspore(0.1, weight_decay=0.5).weight_decay
    assert decay.applies("dense/kernel")
    assert not decay.applies("norm/gamma")


def bias_corrected(learning_rate, betas, steps):
    """Return p after the recursion of Adam's m, divided by the sum of its weights."""
    p, m, v = START.astype(np.float64), 0.0, 0.0
    betas, b2 = np.float64(np.float32(betas)), np.float64(np.float32(0.999))
    weights = np.zeros(0)
    for t in range(steps):
        g = GRADIENTS[t].astype(np.float64)
        m, v = betas[t] * m + (1 - betas[t]) * g, b2 * v + (1 - b2) * g * g
        weights = np.append(weights * betas[t], 1 - betas[t])
        root = np.sqrt(v / (1 - b2 ** (t + 1)))
        p = p - learning_rate * (m / weights.sum()) / (root + 1e-3)
    return p


def test_the_weights_of_all_gradients_sum_up_to_one_when_beta_changes():
    betas = MOMENTUM.values(STEPS)
    ours = db.Adam(0.05, beta_1=MOMENTUM, epsilon=1e-3, epsilon_hat=False)
    found = trajectory(load_backend("reference"), ours, START, GRADIENTS)["p"]
    assert_near(found, bias_corrected(0.05, betas, STEPS), 1e-12, "Adam")


@pytest.mark.parametrize("inside", [False, True])
def test_a_momentum_that_changes_is_that_of_each_step(inside):
    p, v = START.astype(np.float64), 0.0
    for rate, mu, g in zip(RATES, MOMENTUM.values(STEPS), GRADIENTS.astype(float), strict=False):
        v = mu * v + (rate * g if inside else g)
        p = p - (v if inside else rate * v)
    ours = db.SGD(CHANGING, momentum=MOMENTUM, rate_in_velocity=inside)
    found = trajectory(load_backend("reference"), ours, START, GRADIENTS)["p"]
    assert_near(found, p, 1e-12, "SGD")


def test_a_momentum_of_rmsprop_that_changes_is_that_of_each_step():
    p, s, m = START.astype(np.float64), 0.0, 0.0
    for rate, mu, g in zip(RATES, MOMENTUM.values(STEPS), GRADIENTS.astype(float), strict=False):
        s = 0.8 * s + 0.2 * g * g
        m = mu * m + rate * g / np.sqrt(s + 1e-4)
        p = p - m
    ours = db.RMSprop(CHANGING, 0.8, MOMENTUM, 1e-4)
    found = trajectory(load_backend("reference"), ours, START, GRADIENTS)["p"]
    assert_near(found, p, 1e-12, "RMSprop")


def test_a_schedule_of_one_number_is_that_number():
    given = load_backend("reference"), START, GRADIENTS
    pairs = [
        (db.SGD(CHANGING, momentum=FLAT), db.SGD(CHANGING, momentum=0.9)),
        (db.RMSprop(CHANGING, momentum=FLAT), db.RMSprop(CHANGING, momentum=0.9)),
        (db.Adam(CHANGING, FLAT, nesterov=True), db.Adam(CHANGING, nesterov=True)),
    ]
    for changing, plain in pairs:
        a, b = (trajectory(given[0], each, *given[1:])["p"] for each in (changing, plain))
        assert_near(a, b, 1e-14, type(plain).__name__)
    assert db.SGD(0.1, momentum=db.ConstantSchedule(0.9)) == db.SGD(0.1, momentum=0.9)


def test_the_two_momentum_conventions_differ_once_the_rate_changes():
    reference = load_backend("reference")
    a, b = (
        trajectory(reference, optimizer, START, GRADIENTS)["p"]
        for optimizer in (db.SGD.keras(CHANGING, 0.9), db.SGD.mindspore(CHANGING, 0.9))
    )
    assert np.abs(a - b).max() > 1.0

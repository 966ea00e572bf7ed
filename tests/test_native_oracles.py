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
    "mae": (db.MeanAbsoluteError(), "MeanAbsoluteError", {}, LOGITS, P),
    "mape": (
        db.MeanAbsolutePercentageError(),
        "MeanAbsolutePercentageError",
        {},
        LOGITS,
        LOGITS[::-1].copy(),
    ),
    "msle": (
        db.MeanSquaredLogarithmicError(),
        "MeanSquaredLogarithmicError",
        {},
        LOGITS,
        P,
    ),
    "huber": (db.Huber(0.7), "Huber", {"delta": 0.7}, LOGITS, P),
    "log_cosh": (db.LogCosh(), "LogCosh", {}, 30.0 * LOGITS, P),
    "binary": (db.BinaryCrossEntropy(), "BinaryCrossentropy", {}, P, ONE_HOT),
    "binary-logits": (
        db.BinaryCrossEntropy(True, 0.2),
        "BinaryCrossentropy",
        {"from_logits": True, "label_smoothing": 0.2},
        LOGITS,
        ONE_HOT,
    ),
    "binary_focal": (db.BinaryFocalCrossEntropy(), "BinaryFocalCrossentropy", {}, P, ONE_HOT),
    "binary_focal-logits": (
        db.BinaryFocalCrossEntropy(True, 0.3, 1.5, True, 0.1),
        "BinaryFocalCrossentropy",
        {
            "apply_class_balancing": True,
            "alpha": 0.3,
            "gamma": 1.5,
            "from_logits": True,
            "label_smoothing": 0.1,
        },
        LOGITS,
        ONE_HOT,
    ),
    "focal": (
        db.CategoricalFocalCrossEntropy(),
        "CategoricalFocalCrossentropy",
        {},
        P,
        ONE_HOT,
    ),
    "focal-logits": (
        db.CategoricalFocalCrossEntropy(0.4, 1.5, True, 0.1),
        "CategoricalFocalCrossentropy",
        {"alpha": 0.4, "gamma": 1.5, "from_logits": True, "label_smoothing": 0.1},
        LOGITS,
        ONE_HOT,
    ),
    "kl": (db.KLDivergence(), "KLDivergence", {}, P, P[::-1].copy()),
    "kl-one_hot": (db.KLDivergence(), "KLDivergence", {}, P, ONE_HOT),
    "poisson": (db.Poisson.keras(), "Poisson", {}, P, np.abs(LOGITS)),
    "cosine": (db.CosineSimilarity(), "CosineSimilarity", {}, LOGITS, P),
    "hinge": (db.Hinge(), "Hinge", {}, LOGITS, 2.0 * ONE_HOT - 1.0),
    "squared_hinge": (db.SquaredHinge(), "SquaredHinge", {}, LOGITS, 2.0 * ONE_HOT - 1.0),
    "categorical_hinge": (db.CategoricalHinge(), "CategoricalHinge", {}, LOGITS, ONE_HOT),
}


@pytest.mark.parametrize(
    ("ours", "name", "arguments", "prediction", "target"), LOSSES.values(), ids=LOSSES
)
def test_losses_equal_keras(ours, name, arguments, prediction, target):
    keras = pytest.importorskip("keras")
    theirs = getattr(keras.losses, name)(reduction="none", **arguments)(target, prediction)
    assert_close(np.asarray(theirs), losses_of(ours, prediction, target), 2e-6, name)


def losses_of(ours, prediction, target):
    """Return what a loss or metric emits for every example, of the reference."""
    types = [
        TensorType((BATCH, *a.shape[1:]), "int32" if a.dtype.kind == "i" else "float32")
        for a in (prediction, target)
    ]
    return equation(
        lambda scope, p, t: scope.call(ours, p, t), types, [prediction, target], gradient=False
    ).run(load_backend("reference"))["value"]


MINDSPORE_LOSSES = {
    "mae": (db.MeanAbsoluteError(), "MAELoss", {}, LOGITS, P, P),
    "huber": (db.Huber(0.7), "HuberLoss", {"delta": 0.7}, LOGITS, P, P),
    "binary-logits": (
        db.BinaryCrossEntropy.mindspore(),
        "BCEWithLogitsLoss",
        {},
        LOGITS,
        ONE_HOT,
        ONE_HOT,
    ),
    "focal": (
        db.CategoricalFocalCrossEntropy.mindspore(),
        "FocalLoss",
        {},
        LOGITS,
        ONE_HOT,
        LABEL[:, None],
    ),
    "poisson": (
        db.Poisson.mindspore(),
        "PoissonNLLLoss",
        {},
        LOGITS,
        np.abs(LOGITS),
        np.abs(LOGITS),
    ),
    "poisson-rate": (
        db.Poisson.mindspore(log_input=False),
        "PoissonNLLLoss",
        {"log_input": False},
        P,
        np.abs(LOGITS),
        np.abs(LOGITS),
    ),
}


@pytest.mark.parametrize(
    ("ours", "name", "arguments", "prediction", "target", "given"),
    MINDSPORE_LOSSES.values(),
    ids=MINDSPORE_LOSSES,
)
def test_losses_equal_mindspore(ours, name, arguments, prediction, target, given):
    ms = pytest.importorskip("mindspore")
    native = getattr(ms.nn, name)(**arguments)
    dtype = ms.int32 if given.dtype.kind == "i" else ms.float32
    theirs = native(ms.Tensor(prediction, ms.float32), ms.Tensor(given, dtype))
    found = losses_of(ours, prediction, target).mean()
    assert_close(theirs.asnumpy(), found, 2e-6, name)


def test_log_cosh_and_binary_logits_of_any_size():
    """Value and derivative where the textbook formulas overflow."""
    x = np.array([[0.0], [100.0], [-100.0]])
    types = [TensorType((BATCH, 1))] * 2
    for ours, target, value, slope in (
        (db.LogCosh(), 0.0, np.abs(x[:, 0]) - np.log(2.0) * (x[:, 0] != 0), np.tanh(x)),
        (db.BinaryCrossEntropy(True), 0.0, [np.log(2), 100.0, np.exp(-100)], [[0.5], [1], [0]]),
    ):
        built = equation(
            lambda scope, p, t, ours=ours: scope.call(ours, p, t), types, [x, x * 0 + target]
        )
        found = built.run(load_backend("reference"))
        assert_close(found["value"], np.asarray(value), 1e-15, "value")
        weighted = np.asarray(slope) * built.feeds["weights"][:, None].astype(float)
        assert_close(found["d/input_0"], weighted, 1e-15, "slope")


YES = (RNG.random((40, 3)) < 0.4) * 1.0
SCORES = np.clip(RNG.normal(0.4 + 0.3 * YES, 0.25), 0.0, 1.0).astype(np.float32).astype(float)

METRICS = {
    "binary_accuracy": (db.BinaryAccuracy(0.4), "BinaryAccuracy", {"threshold": 0.4}, SCORES, YES),
    "top_k": (
        db.TopKAccuracy(2),
        "SparseTopKCategoricalAccuracy",
        {"k": 2},
        LOGITS.round(),
        LABEL,
    ),
    "top_k-one_hot": (db.TopKAccuracy(3), "TopKCategoricalAccuracy", {"k": 3}, LOGITS, ONE_HOT),
    "precision": (db.Precision(average="micro"), "Precision", {}, SCORES, YES),
    "recall": (db.Recall(0.3, "micro"), "Recall", {"thresholds": 0.3}, SCORES, YES),
    "f1": (db.F1Score(), "F1Score", {"average": "macro", "threshold": 0.5}, SCORES, YES),
    "f1-classes": (db.F1Score(None), "F1Score", {"average": "macro"}, LOGITS, ONE_HOT),
    "auc": (db.AUC(), "AUC", {}, SCORES, YES),
    "auc-20": (db.AUC(20), "AUC", {"num_thresholds": 20}, SCORES, YES),
    "r_squared": (db.RSquared(0.5), "R2Score", {}, SCORES, YES),
    "mean_of_loss": (db.LossMetric(db.LogCosh()), "LogCoshError", {}, SCORES, YES),
}


@pytest.mark.parametrize(
    ("ours", "name", "arguments", "prediction", "target"), METRICS.values(), ids=METRICS
)
def test_metrics_equal_keras(ours, name, arguments, prediction, target):
    keras = pytest.importorskip("keras")
    theirs = getattr(keras.metrics, name)(**arguments)
    theirs.update_state(
        target.astype(np.float32 if target.ndim > 1 else np.int32), prediction.astype("f4")
    )
    total = losses_of(ours, prediction, target).sum(0)
    found = ours.result(total, len(target))
    assert_close(np.asarray(theirs.result()), np.asarray(found), 2e-6, name)


def test_metrics_by_hand():
    """Class by class, pair by pair: what Keras has no metric for."""
    p, r, f = (
        m.result(losses_of(m, LOGITS, LABEL).sum(0), len(LABEL))
        for m in (db.Precision(None), db.Recall(None), db.F1Score(None))
    )
    answer = LOGITS.argmax(1)
    rows = [
        (
            ((answer == c) & (c == LABEL)).sum(),
            (answer == c).sum(),
            (c == LABEL).sum(),
        )
        for c in range(5)
    ]
    assert p == pytest.approx(np.mean([hit / max(said, 1) for hit, said, _ in rows]))
    assert r == pytest.approx(np.mean([hit / max(true, 1) for hit, _, true in rows]))
    assert f == pytest.approx(np.mean([2 * h / max(s + t, 1) for h, s, t in rows]))
    perplexity = db.Perplexity(from_logits=True)
    found = perplexity.result(losses_of(perplexity, LOGITS, LABEL).sum(0), len(LABEL))
    assert found == pytest.approx(1 / np.prod(P[np.arange(9), LABEL]) ** (1 / 9))
    grid = np.round(SCORES * 100.0) / 100.0
    positive, negative = grid[YES == 1.0, None], grid[YES == 0.0]
    wins = (positive > negative).mean() + 0.5 * (positive == negative).mean()
    area = db.AUC(201)
    found = area.result(losses_of(area, grid, YES).sum(0), len(grid))
    assert found == pytest.approx(wins, abs=2e-3)


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

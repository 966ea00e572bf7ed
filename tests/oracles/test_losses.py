"""Independent witnesses: losses and metrics of both frameworks, where those are right.

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

RNG = np.random.default_rng(0)
LOGITS, LABEL = RNG.normal(0, 2, (9, 5)), RNG.integers(0, 5, 9)
ONE_HOT = np.eye(5)[LABEL]
P = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)

LOSSES = {
    "sparse": (
        db.SparseCategoricalCrossentropy(from_logits=True),
        "SparseCategoricalCrossentropy",
        {"from_logits": True},
        LOGITS,
        LABEL,
    ),
    "sparse-probabilities": (
        db.SparseCategoricalCrossentropy(),
        "SparseCategoricalCrossentropy",
        {},
        P,
        LABEL,
    ),
    "one_hot": (
        db.CategoricalCrossentropy(from_logits=True),
        "CategoricalCrossentropy",
        {"from_logits": True},
        LOGITS,
        ONE_HOT,
    ),
    "one_hot-probabilities": (
        db.CategoricalCrossentropy(),
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
    "binary": (db.BinaryCrossentropy(), "BinaryCrossentropy", {}, P, ONE_HOT),
    "binary-logits": (
        db.BinaryCrossentropy(True, 0.2),
        "BinaryCrossentropy",
        {"from_logits": True, "label_smoothing": 0.2},
        LOGITS,
        ONE_HOT,
    ),
    "binary_focal": (db.BinaryFocalCrossentropy(), "BinaryFocalCrossentropy", {}, P, ONE_HOT),
    "binary_focal-logits": (
        db.BinaryFocalCrossentropy(True, 0.3, 1.5, True, 0.1),
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
        db.CategoricalFocalCrossentropy(),
        "CategoricalFocalCrossentropy",
        {},
        P,
        ONE_HOT,
    ),
    "focal-logits": (
        db.CategoricalFocalCrossentropy(0.4, 1.5, True, 0.1),
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
    "hinge-zeros": (db.Hinge(), "Hinge", {}, LOGITS, ONE_HOT),
    "squared_hinge-zeros": (db.SquaredHinge(), "SquaredHinge", {}, LOGITS, ONE_HOT),
    "squared_hinge": (db.SquaredHinge(), "SquaredHinge", {}, LOGITS, 2.0 * ONE_HOT - 1.0),
    "categorical_hinge": (db.CategoricalHinge(), "CategoricalHinge", {}, LOGITS, ONE_HOT),
}


@witness("Keras")
@pytest.mark.parametrize(
    ("ours", "name", "arguments", "prediction", "target"), LOSSES.values(), ids=LOSSES
)
def test_losses_equal_keras(ours, name, arguments, prediction, target):
    keras = pytest.importorskip("keras")
    theirs = getattr(keras.losses, name)(reduction="none", **arguments)(target, prediction)
    assert_close(np.asarray(theirs), losses_of(ours, prediction, target), 2e-6, name)


def losses_of(ours, prediction, target):
    """Return the value of a loss or metric for every example, from the reference."""
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
        db.BinaryCrossentropy.mindspore(),
        "BCEWithLogitsLoss",
        {},
        LOGITS,
        ONE_HOT,
        ONE_HOT,
    ),
    "focal": (
        db.CategoricalFocalCrossentropy.mindspore(),
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


@witness("MindSpore")
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
        (db.BinaryCrossentropy(True), 0.0, [np.log(2), 100.0, np.exp(-100)], [[0.5], [1], [0]]),
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
        db.TopKCategoricalAccuracy(2),
        "SparseTopKCategoricalAccuracy",
        {"k": 2},
        LOGITS.round(),
        LABEL,
    ),
    "top_k-one_hot": (
        db.TopKCategoricalAccuracy(3),
        "TopKCategoricalAccuracy",
        {"k": 3},
        LOGITS,
        ONE_HOT,
    ),
    "precision": (db.Precision(), "Precision", {}, SCORES, YES),
    "recall": (db.Recall(0.3), "Recall", {"thresholds": 0.3}, SCORES, YES),
    "f1": (db.F1Score(), "F1Score", {"average": "macro", "threshold": 0.5}, SCORES, YES),
    "f1-classes": (db.F1Score(None), "F1Score", {"average": "macro"}, LOGITS, ONE_HOT),
    "auc": (db.AUC(), "AUC", {}, SCORES, YES),
    "auc-20": (db.AUC(20), "AUC", {"num_thresholds": 20}, SCORES, YES),
    "r_squared": (db.R2Score(0.5), "R2Score", {}, SCORES, YES),
    "mean_of_loss": (db.LossMetric(db.LogCosh()), "LogCoshError", {}, SCORES, YES),
}


@witness("Keras")
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


@witness("NumPy", db.Precision, db.Recall, db.F1Score, db.Perplexity, db.AUC)
def test_metrics_by_hand():
    """Computed by class and by pair in NumPy, because Keras has no such metric."""
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

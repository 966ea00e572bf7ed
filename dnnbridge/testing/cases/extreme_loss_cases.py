"""Cases of losses at the ends of float32: predictions of ±1e30 and the largest, denormals, 0 and 1.

Each example has one prediction, so that an infinite loss hides no other. Undefined losses are left
out: ∞ - ∞, and 0 · ∞, such as a logit of -∞ with label 0. Squares beyond 1.8e19 and all other
results beyond float32 are infinite.
"""

from __future__ import annotations

import numpy as np

from dnnbridge import losses
from dnnbridge.base.arrays import Array
from dnnbridge.testing.cases.equation_case import EquationCase
from dnnbridge.testing.cases.extreme_cases import LARGEST
from dnnbridge.testing.cases.op_case import both_signs

_FINITE = np.array([0.0, 1e-40, -1e-40, 1e-30, -1e-30, 1.0, 1e19, 1e30, -1e30])
_ENDS = np.append(_FINITE, [LARGEST, -LARGEST])
_SHARES = np.array([0.0, 1e-40, 1e-30, 1e-8, 1e-7, 0.5, 1.0 - 2.0**-24, 1.0])
"""Probabilities."""


def _columns(predictions: Array, targets: Array) -> tuple[Array, Array]:
    """Return all pairs of a prediction and a target, one pair per example."""
    p, y = np.repeat(predictions, len(targets)), np.tile(targets, len(predictions))
    return p[:, None], y[:, None]


def _real() -> list[EquationCase]:
    """Cases of losses of real numbers, with extreme targets too."""
    some, counts = np.array([0.0, 1e-40, 2.0, -1e30]), np.array([0.0, 1e-40, 1e-30, 2.0, 1e30])
    rates = np.array([0.0, 1e-40, 1e-30, 0.5, 3.0, 1e19, 1e30])  # not 1: log(1 + ε) has no digits
    given: list[tuple[str, losses.AbstractLoss, tuple[Array, Array]]] = [
        ("mse", losses.MeanSquaredError(), _columns(_FINITE, some)),
        ("mae", losses.MeanAbsoluteError(), _columns(_ENDS, some)),
        ("mape", losses.MeanAbsolutePercentageError(), _columns(_FINITE, some)),
        ("huber", losses.Huber(0.5), _columns(_ENDS, some)),
        ("log_cosh", losses.LogCosh(), _columns(_ENDS, some)),
        ("msle", losses.MeanSquaredLogarithmicError(), _columns(_ENDS, counts)),
        ("poisson", losses.Poisson(), _columns(rates, counts)),
        ("poisson-log", losses.Poisson(log_input=True), _columns(_FINITE, counts[:4])),
        ("hinge", losses.Hinge(), _columns(_ENDS, np.array([-1.0, 1.0]))),
        ("squared_hinge", losses.SquaredHinge(), _columns(_FINITE, np.array([-1.0, 1.0]))),
    ]
    return [EquationCase(f"{name}-ends", loss, xs) for name, loss, xs in given]


def _infinite() -> list[EquationCase]:
    """Cases of infinite predictions for which the loss is defined; only values are compared."""
    up, down = np.array([[np.inf], [1.0]]), np.array([[-np.inf], [1.0]])
    one = np.ones((2, 1))
    given: list[tuple[str, losses.AbstractLoss, Array, Array]] = [
        ("mse", losses.MeanSquaredError(), up, one),
        ("mae", losses.MeanAbsoluteError(), down, one),
        ("mape", losses.MeanAbsolutePercentageError(), down, one),
        ("huber", losses.Huber(), up, one),
        ("log_cosh", losses.LogCosh(), down, one),
        ("msle", losses.MeanSquaredLogarithmicError(), up, one),
        ("msle-below", losses.MeanSquaredLogarithmicError(), down, one),
        ("poisson-log", losses.Poisson(log_input=True), down, one),
        ("hinge", losses.Hinge(), down, one),
        ("hinge-right", losses.Hinge(), up, one),
        ("squared_hinge-right", losses.SquaredHinge(), up, one),
    ]
    return [
        EquationCase(f"{name}-infinite", loss, (p, y), gradient=False) for name, loss, p, y in given
    ]


def _classes() -> list[EquationCase]:
    """Cases of losses over three classes: each class as label, soft labels, weights of 0."""
    logits = np.array(
        [
            *([1e30, 0.0, -1e30], [1e30, 1e30, 0.0], [-1e30, -1e30, -1e30], [1e-30, 0.0, -1e-30]),
            *([1e-40, -1e-40, 0.0], [1e37, 0.0, 1.0], [-LARGEST] * 3, [LARGEST] * 3),
        ]
    )
    shares = np.array(
        [
            *([1.0, 0.0, 0.0], [1.0, 1e-30, 1e-40], [1e-7, 1e-8, 1.0]),
            *([0.5, 0.5, 1e-40], [1.0 - 2.0**-24, 2.0**-24, 0.0]),
        ]
    )
    sparse, dense = losses.SparseCategoricalCrossentropy, losses.CategoricalCrossentropy
    focal, kl, hinge = (
        losses.CategoricalFocalCrossentropy,
        losses.KLDivergence,
        losses.CategoricalHinge,
    )
    weights = (0.0, 1.0, 0.0)
    made: list[EquationCase] = []
    for kind, numbers, of_logits in (("logits", logits, True), ("probabilities", shares, False)):
        x, label = np.repeat(numbers, 3, 0), np.tile(np.arange(3), len(numbers))
        one_hot, soft = np.eye(3)[label], np.tile([[0.2, 0.0, 0.8]], (len(x), 1))
        given: list[tuple[str, losses.AbstractLoss, Array]] = [
            ("sparse", sparse(of_logits), label),
            ("sparse-weights_of_0", sparse(of_logits, class_weights=weights), label),
            ("sparse-ignored", sparse(of_logits, ignore_class=1), label),
            ("one_hot", dense(of_logits), one_hot),
            ("one_hot-soft", dense(of_logits), soft),
            ("one_hot-smoothed", dense(of_logits, 0.1), one_hot),
            ("focal", focal(from_logits=of_logits), one_hot),
            ("kl", kl(of_logits), one_hot),
            ("kl-soft", kl(of_logits), np.tile(shares[1:3], (len(x), 1))[: len(x)]),
        ]
        if of_logits:
            given.append(("categorical_hinge", hinge(), one_hot))
        made += [
            EquationCase(f"{name}-{kind}-ends", loss, (x, y), reduced=3) for name, loss, y in given
        ]
    return made


def _binary() -> list[EquationCase]:
    cross, focal = losses.BinaryCrossentropy, losses.BinaryFocalCrossentropy
    answers = np.array([0.0, 1e-40, 0.25, 1.0])
    made = []
    for name, loss in (("binary", cross), ("binary_focal", focal)):
        # Without the largest number: the derivative of a focal loss has twice its value as factor.
        ends = _ENDS if loss is cross else _FINITE
        for kind, xs in (("logits", ends), ("probabilities", _SHARES)):
            given = _columns(xs, answers)
            spec = loss(from_logits=kind == "logits")
            made.append(EquationCase(f"{name}-{kind}-ends", spec, given))
    return made


def _along() -> list[EquationCase]:
    """Cases of losses over vectors and over frames. Squared lengths stay within float32."""
    p = np.array(
        [[0.0, 0.0, 0.0], [1e-40, 0.0, 0.0], [1e-30, 1e-30, 0.0], [1e18, -1e18, 0.0], [1e17, 1, 2]]
    )
    y = np.array([[1.0, 2.0, 3.0], [1.0, 0.0, 0.0], [1.0, 0.0, 1.0], [1e18, 0, 0], [1e-40, 0, 1]])
    frames = np.array(
        [
            [[1e4, 0.0, -1e4], [0.0, 0.0, 0.0]],
            [[-1e20, -1e20, -1e20], [1e-40, 0.0, 1e-30]],
            [[1e-30, 1e-30, 1e-30], [0.0, 1e4, 0.0]],
        ]
    )
    shares = np.array([[0.0, 0.0, 0.0], [1e-40, 0.0, 1.0], [1.0, 1.0, 1.0], [0.25, 1e-30, 1.0]])
    inside = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    steps = tuple(each[:, None] for each in _columns(_ENDS, np.array([0.0, 2.0, -1e30])))
    of_steps = losses.TimeDistributedLoss(losses.MeanAbsoluteError())
    return [
        EquationCase("steps-ends", of_steps, steps),
        EquationCase("dice-ends", losses.Dice((1,)), (shares, inside), reduced=3),
        EquationCase("tversky-ends", losses.Tversky(axis=(1,)), (shares, inside), reduced=3),
        EquationCase("cosine-ends", losses.CosineSimilarity(), (p, y), reduced=3),
        EquationCase("ctc-ends", losses.CTC(1), (frames, np.array([[1], [2], [1]])), reduced=6),
    ]


def _relative() -> list[EquationCase]:
    """Cases of small losses, with relative errors: close to the target, or confident and right."""
    sure = both_signs(0.5, 80.0, 30)
    near, zero = _columns(both_signs(1e-17, 0.3, 40), np.zeros(1))
    given: list[tuple[str, losses.AbstractLoss, tuple[Array, Array]]] = [
        (
            "binary-logits",
            losses.BinaryCrossentropy(from_logits=True),
            (sure[:, None], _sure_of(sure)),
        ),
        ("huber", losses.Huber(0.1), (near, zero)),
        ("log_cosh", losses.LogCosh(), (near, zero)),
    ]
    return [EquationCase(f"{name}-relative", loss, xs, relative=True) for name, loss, xs in given]


def _sure_of(logits: Array) -> Array:
    """Return the label that a logit predicts."""
    return np.asarray(logits > 0, float)[:, None]


EXTREME_LOSS_CASES: list[EquationCase] = [
    *(*_real(), *_infinite(), *_classes(), *_binary(), *_along(), *_relative()),
]

"""Cases of losses."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dnnbridge import losses
from dnnbridge.base.arrays import Array
from dnnbridge.testing.cases.equation_case import EquationCase, labels, normal, softmax


def _classes() -> list[EquationCase]:
    """Cases of losses over classes: ordinary, large logits, sequences, confident predictions."""
    logits, label = normal(9, 10, scale=3.0), labels(9, classes=10)
    steps, step_label = normal(3, 4, 5), labels(3, 4, classes=5)
    hard = np.array([[100.0, 0.0, -100.0], [0.0, 0.0, 0.0], [-300.0, 300.0, 0.0]])
    hard_label, soft = np.array([1, 2, 0]), softmax(normal(9, 10, scale=1.5))
    sparse, dense = losses.SparseCategoricalCrossentropy, losses.CategoricalCrossentropy
    sure, sure_label = np.array([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5]]), np.array([0, 1, 1])
    # Outputs of sigmoids: rows whose sums are not 1, some of them above.
    several = np.vstack([1.0 / (1.0 + np.exp(-logits)), np.full((1, 10), 1e-9), 3.0 * soft[:1]])
    several_label, focal = np.append(label, [3, 4]), losses.CategoricalFocalCrossentropy
    made = [
        EquationCase(f"{name}-{kind}", loss, (several, y), reduced=20)
        for kind, normalize in (("divided", True), ("undivided", False))
        for name, loss, y in (
            ("sparse", sparse(normalize=normalize), several_label),
            ("one_hot", dense(normalize=normalize), np.eye(10)[several_label]),
            ("one_hot-smoothed", dense(False, 0.1, normalize=normalize), np.eye(10)[several_label]),
            ("focal", focal(normalize=normalize), np.eye(10)[several_label]),
        )
    ]
    return [
        *made,
        EquationCase("sparse-logits", sparse(True), (logits, label), reduced=10),
        EquationCase("sparse-logits-hard", sparse(True), (hard, hard_label), reduced=3),
        EquationCase("sparse-logits-steps", sparse(True), (steps, step_label), reduced=20),
        EquationCase("sparse-probabilities", sparse(), (softmax(logits), label), reduced=10),
        EquationCase("sparse-probabilities-sure", sparse(), (sure, sure_label)),
        EquationCase("one_hot-logits", dense(True), (logits, np.eye(10)[label]), reduced=10),
        EquationCase("one_hot-logits-soft", dense(True), (logits, soft), reduced=10),
        EquationCase("one_hot-logits-hard", dense(True), (hard, np.eye(3)[hard_label]), reduced=3),
        EquationCase(
            "one_hot-logits-steps", dense(True), (steps, np.eye(5)[step_label]), reduced=20
        ),
        EquationCase("one_hot-probabilities", dense(), (softmax(logits), soft), reduced=10),
        EquationCase("one_hot-probabilities-sure", dense(), (sure, np.eye(2)[sure_label])),
        EquationCase("focal", losses.CategoricalFocalCrossentropy(), (softmax(logits), soft)),
        EquationCase(
            "focal-logits",
            losses.CategoricalFocalCrossentropy(0.5, 1.5, True, 0.1),
            (logits, np.eye(10)[label]),
            reduced=10,
        ),
        EquationCase(
            "focal-logits-hard",
            losses.CategoricalFocalCrossentropy.mindspore(),
            (hard, np.eye(3)[hard_label]),
            reduced=3,
        ),
        EquationCase(
            "focal-steps",
            losses.CategoricalFocalCrossentropy(gamma=0.0, from_logits=True),
            (steps, np.eye(5)[step_label]),
            reduced=20,
        ),
        EquationCase("focal-sure", losses.CategoricalFocalCrossentropy(), (sure, sure[::-1])),
    ]


def _weighted() -> list[EquationCase]:
    """Cases of cross-entropies that smooth, weight or ignore labels."""
    logits, label = normal(9, 10, scale=3.0), labels(9, classes=10)
    steps, step_label = normal(3, 4, 5), labels(3, 4, classes=5)
    some, none = step_label.copy(), np.full((3, 4), -100)
    some[0, 2:], some[2] = -100, -100
    factors = tuple(float(w) for w in np.linspace(0.0, 2.0, 5))
    sparse, dense = losses.SparseCategoricalCrossentropy, losses.CategoricalCrossentropy
    return [
        EquationCase(name, loss, inputs, reduced=20)
        for name, loss, inputs in (
            ("sparse-smoothed", sparse(True, 0.1), (logits, label)),
            ("sparse-smoothed-probabilities", sparse(False, 0.1), (softmax(steps), step_label)),
            ("sparse-ignored", sparse(True, ignore_class=-100), (steps, some)),
            ("sparse-ignored-class", sparse(True, ignore_class=8), (logits, label)),
            ("sparse-ignored-all", sparse(True, 0.2, -100), (steps, none)),
            ("sparse-weighted", sparse(True, class_weights=factors), (steps, step_label)),
            ("sparse-mindspore", sparse.mindspore(factors, label_smoothing=0.1), (steps, some)),
            ("one_hot-smoothed", dense(True, 0.1), (logits, np.eye(10)[label])),
            (
                "one_hot-weighted",
                dense(class_weights=factors, reduction="weighted_mean"),
                (softmax(steps), np.eye(5)[step_label]),
            ),
        )
    ]


def _real() -> list[EquationCase]:
    """Cases of losses of real numbers: ordinary, of rank 3, equal to the label, far from it."""
    x, y = normal(7, 3), normal(7, 3, key=1)
    steps, other = normal(3, 4, 5), normal(3, 4, 5, key=1)
    errors = np.array([[0.0, 1e-4, -1e-4, 0.5, -0.5, 1.0, -1.0, 3.0, 100.0, -100.0, 1e4, -1e4]])
    zero, size = np.zeros_like(errors), errors.shape[1]
    any_sign: dict[str, losses.AbstractLoss] = {
        "mse": losses.MeanSquaredError(),
        "mae": losses.MeanAbsoluteError(),
        "mape": losses.MeanAbsolutePercentageError(),
        "huber": losses.Huber(),
        "huber-half": losses.Huber(0.5),
        "log_cosh": losses.LogCosh(),
        "cosine": losses.CosineSimilarity(),
    }
    positive: dict[str, losses.AbstractLoss] = {
        "msle": losses.MeanSquaredLogarithmicError(),
        "poisson": losses.Poisson(),
        "poisson-log": losses.Poisson.mindspore(),
    }
    cases = []
    # The gradient of the percentage error by labels y subtracts numbers as large as 100 / |y|.
    for name, loss in any_sign.items():
        cases += [
            EquationCase(name, loss, (x, y), reduced=30 if name == "mape" else 3),
            EquationCase(f"{name}-rank3", loss, (steps, other), reduced=20),
            EquationCase(f"{name}-extreme", loss, (errors, zero), reduced=size),
            EquationCase(f"{name}-zero_labels", loss, (x, 0.0 * y), reduced=3),
        ]
    for name, loss in positive.items():
        cases += [
            EquationCase(name, loss, (np.abs(x) + 0.1, np.abs(y)), reduced=3),
            EquationCase(f"{name}-rank3", loss, (np.abs(steps) + 0.1, np.abs(other)), reduced=20),
            EquationCase(f"{name}-small", loss, (np.abs(x) * 1e-5 + 1e-6, 0.0 * y), reduced=3),
        ]
    below = np.array([[-2.0, 0.0, 3.0]]), np.array([[0.0, 1.0, 0.0]])
    cases.append(EquationCase("msle-below", losses.MeanSquaredLogarithmicError(), below, reduced=3))
    return cases


def _binary() -> list[EquationCase]:
    """Cases of binary losses: ordinary, of rank 3, soft labels, confident right and wrong."""
    logits, p = normal(9, 4, scale=3.0), 1.0 / (1.0 + np.exp(-normal(9, 4, scale=3.0)))
    answer, steps = (normal(9, 4, key=2) > 0) * 1.0, normal(3, 4, 5)
    soft, yes = 1.0 / (1.0 + np.exp(-normal(9, 4, key=3))), (steps > 0.3) * 1.0
    hard = np.array([[0.0, 20.0, -20.0, 100.0, -100.0, 1e4, -1e4]] * 2)
    hard_answer = np.array([[0.0] * 7, [1.0] * 7])
    sure, sure_answer = np.array([[0.0, 0.0, 1.0, 1.0]]), np.array([[0.0, 1.0, 0.0, 1.0]])
    cross, focal = losses.BinaryCrossentropy, losses.BinaryFocalCrossentropy
    cases = []
    for name, plain, of_logits in (
        ("binary", cross(), cross(True)),
        ("binary-smooth", cross(label_smoothing=0.2), cross(True, 0.2)),
        ("binary_focal", focal(), focal(from_logits=True)),
        ("binary_focal-balanced", focal(True, 0.3, 1.5), focal(True, 0.3, 0.5, True, 0.1)),
        ("binary_focal-gamma0", focal(gamma=0.0), focal(gamma=0.0, from_logits=True)),
    ):
        cases += [
            EquationCase(f"{name}-probabilities", plain, (p, answer), reduced=4),
            EquationCase(f"{name}-sure", plain, (sure, sure_answer), reduced=4),
            EquationCase(f"{name}-logits", of_logits, (logits, answer), reduced=4),
            EquationCase(f"{name}-logits-soft", of_logits, (logits, soft), reduced=4),
            EquationCase(f"{name}-logits-hard", of_logits, (hard, hard_answer), reduced=7),
            EquationCase(f"{name}-logits-steps", of_logits, (steps, yes), reduced=20),
        ]
    return cases


def _distributions_and_margins() -> list[EquationCase]:
    logits, soft = normal(9, 6, scale=3.0), softmax(normal(9, 6, key=1))
    steps, one_hot = normal(3, 4, 5), np.eye(5)[labels(3, 4, classes=5)]
    hard, certain = np.array([[300.0, 0.0, -300.0]] * 3), np.eye(3)
    ties = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [2.0, 1.0, 1.0]])
    kl, signs = losses.KLDivergence, np.sign(normal(3, 4, 5, key=1))
    kinks, alternate = (
        np.array([[1.0, -1.0, 0.0, 1e4, -1e4]] * 2),
        np.array([[1.0] * 5, [-1.0] * 5]),
    )
    cases = [
        EquationCase("kl", kl(), (softmax(logits), soft), reduced=6),
        EquationCase("kl-steps", kl(), (softmax(steps), one_hot), reduced=20),
        EquationCase("kl-sure", kl(), (certain, certain[::-1].copy()), reduced=3),
        EquationCase("kl-logits", kl(True), (logits, soft), reduced=6),
        EquationCase("kl-logits-hard", kl(True), (hard, certain), reduced=3),
    ]
    for name, loss in (("hinge", losses.Hinge()), ("squared_hinge", losses.SquaredHinge())):
        cases += [
            EquationCase(name, loss, (steps, signs), reduced=20),
            EquationCase(f"{name}-zeros", loss, (steps, np.maximum(signs, 0.0)), reduced=20),
            EquationCase(f"{name}-kinks", loss, (kinks, alternate), reduced=5),
        ]
    hinge = losses.CategoricalHinge()
    cases += [
        EquationCase("categorical_hinge", hinge, (logits, np.eye(6)[labels(9, classes=6)])),
        EquationCase("categorical_hinge-soft", hinge, (logits, soft), reduced=6),
        EquationCase("categorical_hinge-steps", hinge, (steps, one_hot), reduced=20),
        EquationCase("categorical_hinge-ties", hinge, (ties, certain), reduced=3),
    ]
    return cases


def _overlaps() -> list[EquationCase]:
    """Cases of sums over examples, over places, and over both; the last example is padding."""
    p, y = 1.0 / (1.0 + np.exp(-normal(4, 3, 2, 5))), (normal(4, 3, 2, 5, key=1) > 0.3) * 1.0
    weights = 0.3, 0.8

    def dice(y: Array, p: Array, axis: tuple[int, ...] | None) -> Array:
        return np.asarray(1 - 2 * (y * p).sum(axis) / (y.sum(axis) + p.sum(axis) + 1e-7))

    def tversky(y: Array, p: Array, axis: tuple[int, ...] | None) -> Array:
        hit, every, found = (y * p).sum(axis), y.sum(axis), p.sum(axis)
        wrong = weights[0] * (every - hit) + weights[1] * (found - hit)
        return np.asarray(1 - hit / (hit + wrong + 1e-7))

    def case(name: str, axis: tuple[int, ...] | None, masked: int) -> EquationCase:
        loss = losses.Dice(axis) if name == "dice" else losses.Tversky(*weights, axis)
        equation = dice if name == "dice" else tversky

        def witness(of: Mapping[str, Array]) -> Array:
            count = len(p) - masked
            given = of["input_1"][:count], of["input_0"][:count]
            made = equation(*given, axis)
            if axis is not None and 0 not in axis:
                return np.asarray(made.reshape(count, -1).mean(1))
            return np.append(np.full(count, made.mean()), np.zeros(masked))

        words = "all" if axis is None else "".join(map(str, axis))
        return EquationCase(
            f"{name}-{words}", loss, (p, y), reduced=120, masked=masked, witness=witness
        )

    axes = (None, 1), ((1, 2, 3), 0), ((1, 2), 0), ((0, 1, 2), 1), ((0,), 0)
    return [case(name, *each) for name in ("dice", "tversky") for each in axes]


def _of_steps() -> list[EquationCase]:
    x, y, logits = normal(3, 4, 5), normal(3, 4, 5, key=1), normal(3, 4, 6, scale=2.0)
    kind = labels(3, 4, classes=6)

    def witness(of: Mapping[str, Array]) -> Array:
        return np.asarray(((of["input_0"] - of["input_1"]) ** 2).mean(-1))

    made, sparse = losses.TimeDistributedLoss, losses.SparseCategoricalCrossentropy
    some, ignoring = np.where(kind == 2, -1, kind), made(sparse(True, ignore_class=-1))
    return [
        EquationCase("steps", made(losses.MeanSquaredError()), (x, y), reduced=5, witness=witness),
        EquationCase("steps-sparse", made(sparse(True)), (logits, kind), reduced=10),
        EquationCase("steps-ignored", ignoring, (logits, some), reduced=10),
    ]


LOSS_CASES: list[EquationCase] = [
    *_of_steps(),
    *_overlaps(),
    *_classes(),
    *_weighted(),
    *_real(),
    *_binary(),
    *_distributions_and_margins(),
]

"""Cases of losses."""

from __future__ import annotations

import numpy as np

from dnnbridge import losses
from dnnbridge.testing.cases.equation_case import EquationCase, labels, normal, softmax


def _cases() -> list[EquationCase]:
    logits, label = normal(9, 10, scale=3.0), labels(9, classes=10)
    steps, step_label = normal(3, 4, 5), labels(3, 4, classes=5)
    hard = np.array([[100.0, 0.0, -100.0], [0.0, 0.0, 0.0], [-300.0, 300.0, 0.0]])
    hard_label, soft = np.array([1, 2, 0]), softmax(normal(9, 10, scale=1.5))
    sparse, dense = losses.SparseCategoricalCrossEntropy, losses.CategoricalCrossEntropy
    sure, sure_label = np.array([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5]]), np.array([0, 1, 1])
    return [
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
        EquationCase(
            "mse", losses.MeanSquaredError(), (normal(7, 3), normal(7, 3, key=1)), reduced=3
        ),
        EquationCase("mse-rank3", losses.MeanSquaredError(), (steps, steps * 2), reduced=20),
    ]


LOSS_CASES: list[EquationCase] = _cases()

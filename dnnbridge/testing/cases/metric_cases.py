"""Cases of metrics."""

from __future__ import annotations

import numpy as np

from dnnbridge import losses, metrics
from dnnbridge.testing.cases.equation_case import EquationCase, labels, normal, softmax


def _cases() -> list[EquationCase]:
    scores, label = (
        np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [0.0, 1.0, 5.0]]),
        np.array([1, 1, 2]),
    )
    accuracy = metrics.Accuracy()
    of_two: list[metrics.AbstractMetric] = [
        *(metrics.Precision(), metrics.Recall(), metrics.F1Score()),
    ]
    of_classes: list[metrics.AbstractMetric] = [
        *(metrics.Precision(threshold=None), metrics.Recall(threshold=None)),
        metrics.F1Score(threshold=None),
    ]
    steps, step_label = normal(3, 4, 5), labels(3, 4, classes=5)
    p, yes = 0.5 + 0.1 * np.round(normal(9, 2), 1), (normal(9, 2, key=1) > 0) * 1.0
    p = np.clip(p, 0.01, 0.99)
    edges = np.array([[0.0, 1.0, 0.5, 0.25, 1e-9, 0.7]] * 2), np.array([[0.0] * 6, [1.0] * 6])
    real = normal(7, 3), normal(7, 3, key=1)
    given = [
        ("Accuracy-ties", accuracy, (scores, label)),
        ("Accuracy-one_hot", accuracy, (scores, np.eye(3)[label])),
        ("Accuracy-steps", accuracy, (steps, step_label)),
        ("Accuracy-one_number", accuracy, (p[..., :1], yes[..., :1])),
        ("BinaryAccuracy", metrics.BinaryAccuracy(), (p, yes)),
        ("BinaryAccuracy-logits", metrics.BinaryAccuracy(0.0), (steps, (steps[::-1] > 0) * 1.0)),
        ("BinaryAccuracy-edges", metrics.BinaryAccuracy(), edges),
        ("TopKCategoricalAccuracy-ties", metrics.TopKCategoricalAccuracy(1), (scores, label)),
        (
            "TopKCategoricalAccuracy-one_hot",
            metrics.TopKCategoricalAccuracy(2),
            (scores, np.eye(3)[label]),
        ),
        (
            "TopKCategoricalAccuracy-ignored",
            metrics.TopKCategoricalAccuracy(2, 4),
            (steps, step_label),
        ),
        ("TopKCategoricalAccuracy-steps", metrics.TopKCategoricalAccuracy(3), (steps, step_label)),
        (
            "TopKCategoricalAccuracy-extreme",
            metrics.TopKCategoricalAccuracy(2),
            (1e30 * (scores - 2.0), label),
        ),
        *((type(m).__name__, m, (p, yes)) for m in of_two),
        *((f"{type(m).__name__}-edges", m, edges) for m in of_two),
        *((f"{type(m).__name__}-classes", m, (scores, label)) for m in of_classes),
        *((f"{type(m).__name__}-steps", m, (steps, step_label)) for m in of_classes),
        ("Accuracy-ignored", metrics.Accuracy(ignore_class=4), (steps, step_label)),
        ("Perplexity-ignored", metrics.Perplexity(True, 4), (steps, step_label)),
        ("ConfusionMatrix", metrics.ConfusionMatrix(), (scores, label)),
        ("ConfusionMatrix-steps", metrics.ConfusionMatrix(), (steps, step_label - 1)),
        ("AUC", metrics.AUC(), (p, yes)),
        ("AUC-edges", metrics.AUC(5), edges),
        ("AUC-steps", metrics.AUC(20), (softmax(steps), np.eye(5)[step_label])),
        ("LossMetric", metrics.LossMetric(losses.MeanAbsoluteError()), real),
        ("Perplexity", metrics.Perplexity(True), (steps, step_label)),
        ("Perplexity-one_hot", metrics.Perplexity(), (softmax(steps), np.eye(5)[step_label])),
        ("R2Score", metrics.R2Score(), real),
        ("R2Score-centred", metrics.R2Score(10.0), (real[0] + 10.0, real[1] + 10.0)),
        ("R2Score-rank3", metrics.R2Score(), (steps, steps[::-1].copy())),
    ]
    return [
        EquationCase(id, spec, (x, y), gradient=False, reduced=20) for id, spec, (x, y) in given
    ]


METRIC_CASES: list[EquationCase] = _cases()

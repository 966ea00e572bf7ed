"""Cases of metrics."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnbridge import losses, metrics, ops
from dnnbridge.base.arrays import Array
from dnnbridge.testing.cases.equation_case import EquationCase, labels, normal, softmax

Given = list[tuple[str, metrics.AbstractMetric, tuple[Array, Array]]]


@metrics.metric
def largest_error_of_case(y_true: Any, y_pred: Any) -> Any:
    """Return the largest error of each example."""
    return ops.reduce_max(abs(y_true - y_pred), -1)


def _of_elements() -> Given:
    """Metrics of labels and predictions for each element."""
    p, yes = 0.5 + 0.1 * np.round(normal(9, 3), 1), (normal(9, 3, key=1) > 0) * 1.0
    p = np.clip(p, 0.01, 0.99)
    edges = np.array([[0.0, 1.0, 0.5, 0.25, 1e-9, 0.7]] * 2), np.array([[0.0] * 6, [1.0] * 6])
    real = normal(7, 3), normal(7, 3, key=1)
    several = (0.25, 0.5, 0.75)
    counts = [
        *(metrics.TruePositives, metrics.TrueNegatives),
        *(metrics.FalsePositives, metrics.FalseNegatives),
    ]
    points: list[metrics.AbstractMetric] = [
        *(metrics.PrecisionAtRecall(0.5, 8), metrics.RecallAtPrecision(0.5, 8)),
        *(metrics.SensitivityAtSpecificity(0.5, 8), metrics.SpecificityAtSensitivity(0.5, 8)),
    ]
    ratios = [metrics.Precision, metrics.Recall]
    return [
        *((cls.__name__, cls(), (p, yes)) for cls in counts),
        *((f"{cls.__name__}-several", cls(several), edges) for cls in counts),
        *((type(m).__name__, m, (p, yes)) for m in points),
        *((f"{type(m).__name__}-edges", m.replace(class_id=2), edges) for m in points),
        *((f"{cls.__name__}-several", cls(thresholds=several), edges) for cls in ratios),
        *((f"{cls.__name__}-top", cls(top_k=2, class_id=1), (p, yes)) for cls in ratios),
        ("AUC-labels", metrics.AUC(20, multi_label=True), (p, yes)),
        ("AUC-thresholds", metrics.AUC(thresholds=several), edges),
        ("AUC-logits", metrics.AUC(20, from_logits=True), (real[0], yes[:7])),
        ("FBetaScore", metrics.FBetaScore(beta=2.0), (p, yes)),
        ("FBetaScore-edges", metrics.FBetaScore(threshold=0.5), edges),
        ("BinaryIoU", metrics.BinaryIoU(), (p, yes)),
        ("BinaryIoU-edges", metrics.BinaryIoU(threshold=0.25), edges),
        ("RootMeanSquaredError", metrics.RootMeanSquaredError(), real),
        ("CosineSimilarityMetric", metrics.CosineSimilarityMetric(), real),
        ("PearsonCorrelation", metrics.PearsonCorrelation(), real),
        ("PearsonCorrelation-equal", metrics.PearsonCorrelation(), (real[0], 0.0 * real[1] + 2.0)),
        ("ConcordanceCorrelation", metrics.ConcordanceCorrelation(), real),
        ("FunctionMetric", metrics.FunctionMetric(largest_error_of_case), real),
    ]


def _of_classes() -> Given:
    """Intersections over unions, and labels that are class numbers."""
    image, truth = normal(2, 3, 4, 5), labels(2, 3, 4, classes=5)
    one_hot, rows = np.eye(5)[truth], np.repeat(truth[:, 0, :, None] % 3, 5, -1)
    said = np.where(normal(2, 3, 4) > 0, truth, 7) * 1.0
    return [
        ("IoU", metrics.IoU(5, (0, 3), ignore_class=1, sparse_y_pred=False), (image, truth)),
        ("MeanIoU", metrics.MeanIoU(5), (said, truth)),
        (
            "MeanIoU-axis",
            metrics.MeanIoU(3, axis=1, sparse_y_pred=False),
            (image, rows),
        ),
        ("OneHotIoU", metrics.OneHotIoU(5, (0, 3)), (image, one_hot)),
        ("OneHotMeanIoU", metrics.OneHotMeanIoU(5), (image, one_hot)),
        ("FBetaScore-classes", metrics.FBetaScore(ignore_class=1), (image[:, 0], truth[:, 0])),
        ("Precision-first", metrics.Precision(top_k=3, ignore_class=1), (image, truth)),
    ]


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
        ("R2Score-centred", metrics.R2Score(centre=10.0), (real[0] + 10.0, real[1] + 10.0)),
        ("R2Score-rank3", metrics.R2Score(), (steps, steps[::-1].copy())),
        *_of_elements(),
        *_of_classes(),
    ]
    return [
        EquationCase(id, spec, (x, y), gradient=False, reduced=20) for id, spec, (x, y) in given
    ]


METRIC_CASES: list[EquationCase] = _cases()

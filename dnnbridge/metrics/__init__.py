"""Metrics."""

from dnnbridge.metrics.accuracy import Accuracy, BinaryAccuracy, TopKAccuracy
from dnnbridge.metrics.auc import AUC
from dnnbridge.metrics.base import AbstractMetric
from dnnbridge.metrics.confusion import ConfusionMatrix
from dnnbridge.metrics.counts import F1Score, Precision, Recall
from dnnbridge.metrics.field import MetricsLike, as_metrics
from dnnbridge.metrics.means import LossMetric, Perplexity, RSquared

__all__ = [
    "AUC",
    "AbstractMetric",
    "Accuracy",
    "BinaryAccuracy",
    "ConfusionMatrix",
    "F1Score",
    "LossMetric",
    "MetricsLike",
    "Perplexity",
    "Precision",
    "RSquared",
    "Recall",
    "TopKAccuracy",
    "as_metrics",
]

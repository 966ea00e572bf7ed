"""Metrics."""

from dnnbridge.metrics.accuracy import Accuracy, BinaryAccuracy, TopKCategoricalAccuracy
from dnnbridge.metrics.auc import AUC
from dnnbridge.metrics.base import AbstractMetric
from dnnbridge.metrics.confusion import ConfusionMatrix
from dnnbridge.metrics.counts import F1Score, Precision, Recall
from dnnbridge.metrics.field import MetricsField, MetricsLike, as_metrics
from dnnbridge.metrics.means import LossMetric, Perplexity, R2Score
from dnnbridge.specs.former_names import forwarding

__all__ = [
    "AUC",
    "AbstractMetric",
    "Accuracy",
    "BinaryAccuracy",
    "ConfusionMatrix",
    "F1Score",
    "LossMetric",
    "MetricsField",
    "MetricsLike",
    "Perplexity",
    "Precision",
    "R2Score",
    "Recall",
    "TopKCategoricalAccuracy",
    "as_metrics",
]

__getattr__ = forwarding(__name__, globals().get)

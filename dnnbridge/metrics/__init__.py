"""Metrics."""

from dnnbridge.metrics.accuracy import Accuracy, BinaryAccuracy, TopKCategoricalAccuracy
from dnnbridge.metrics.auc import AUC
from dnnbridge.metrics.base import AbstractMetric
from dnnbridge.metrics.confusion import ConfusionMatrix
from dnnbridge.metrics.correlation import ConcordanceCorrelation, PearsonCorrelation
from dnnbridge.metrics.f_scores import F1Score, FBetaScore
from dnnbridge.metrics.field import MetricsField, MetricsLike, as_metrics
from dnnbridge.metrics.functions import FunctionMetric, metric
from dnnbridge.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from dnnbridge.metrics.means import LossMetric, Perplexity
from dnnbridge.metrics.operating_points import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from dnnbridge.metrics.positives import (
    FalseNegatives,
    FalsePositives,
    TrueNegatives,
    TruePositives,
)
from dnnbridge.metrics.precision_recall import Precision, Recall
from dnnbridge.metrics.r2_score import R2Score
from dnnbridge.metrics.regression import CosineSimilarityMetric, RootMeanSquaredError
from dnnbridge.specs.former_names import forwarding

__all__ = [
    "AUC",
    "AbstractMetric",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryIoU",
    "ConcordanceCorrelation",
    "ConfusionMatrix",
    "CosineSimilarityMetric",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "FunctionMetric",
    "IoU",
    "LossMetric",
    "MeanIoU",
    "MetricsField",
    "MetricsLike",
    "OneHotIoU",
    "OneHotMeanIoU",
    "PearsonCorrelation",
    "Perplexity",
    "Precision",
    "PrecisionAtRecall",
    "R2Score",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "as_metrics",
    "metric",
]

__getattr__ = forwarding(__name__, globals().get)

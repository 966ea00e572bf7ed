"""Metrics as arguments of `model.compile`, serialised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dnnbridge.base.messages import snake_case
from dnnbridge.formats.keras.compiled import ACCURACIES
from dnnbridge.formats.keras.parts import with_arguments
from dnnbridge.formats.keras.settings import Serialized
from dnnbridge.formats.keras.writing.compiled import written
from dnnbridge.formats.keras.writing.parts import keras_object, plain
from dnnbridge.losses import (
    AbstractLoss,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from dnnbridge.metrics import AbstractMetric, Accuracy, R2Score
from dnnbridge.metrics.means import LossMetric
from dnnbridge.metrics.overlap import AbstractIoU
from dnnbridge.metrics.precision_recall import AbstractPositives

MODULE = "keras.metrics"

KINDS: Mapping[str, str] = {
    **{name: name for name in ("AUC", "BinaryAccuracy", "F1Score", "FBetaScore", "R2Score")},
    **{f"{part}IoU": f"{part}IoU" for part in ("", "Binary", "Mean", "OneHot", "OneHotMean")},
    **{f"True{part}s": f"True{part}s" for part in ("Positive", "Negative")},
    **{f"False{part}s": f"False{part}s" for part in ("Positive", "Negative")},
    **{f"{a}At{b}": f"{a}At{b}" for a, b in (("Precision", "Recall"), ("Recall", "Precision"))},
    "SensitivityAtSpecificity": "SensitivityAtSpecificity",
    "SpecificityAtSensitivity": "SpecificityAtSensitivity",
    **{f"{part}Correlation": f"{part}Correlation" for part in ("Concordance", "Pearson")},
    "RootMeanSquaredError": "RootMeanSquaredError",
    "TopKCategoricalAccuracy": "TopKCategoricalAccuracy",
    "CosineSimilarityMetric": "CosineSimilarity",
}
"""The class of Keras for each class of ours whose arguments are those of Keras."""


NAMED_ACCURACIES: Mapping[type[AbstractLoss], str] = {
    CategoricalCrossentropy: "CategoricalAccuracy",
    SparseCategoricalCrossentropy: "SparseCategoricalAccuracy",
}
"""The class that Keras takes for "accuracy" with the labels of a loss: a class takes a name."""


def write_metric(
    metric: AbstractMetric, weighted: bool = False, loss: AbstractLoss | None = None
) -> Any:
    """Return a serialised metric or its name; None if Keras has no such metric.

    Args:
        metric: the metric.
        weighted: whether it uses sample weights.
        loss: of the same output, which says what form the labels have.
    """
    if isinstance(metric, Accuracy):
        return _accuracy(metric, loss)
    if isinstance(metric, LossMetric):
        return _mean_of(metric.loss)
    if isinstance(metric, AbstractPositives):
        return _positives(metric)
    kind = KINDS.get(type(metric).__name__)
    if kind is None or (weighted and _weighs_otherwise(metric)):
        return None
    return written(metric.replace(name=metric.label), MODULE, kind)  # Keras would count names


def _accuracy(metric: Accuracy, loss: AbstractLoss | None) -> Any:
    if metric.ignore_class is not None:
        return None
    if metric.name is None or metric.name in ACCURACIES:
        return metric.name or "accuracy"
    kind = NAMED_ACCURACIES.get(type(loss)) if loss is not None else None
    return keras_object(kind, {"name": metric.name}, MODULE) if kind else "accuracy"


def _mean_of(loss: AbstractLoss) -> str | None:
    """Return the name of a loss with its defaults, whose mean is a metric of Keras."""
    name = type(loss).__name__
    if with_arguments(AbstractMetric, Serialized(name, {})) is not None:
        return None  # Keras has a metric of this name with other numbers
    return snake_case(name) if with_arguments(AbstractLoss, Serialized(name, {})) == loss else None


def _positives(metric: AbstractPositives) -> dict[str, Any] | None:
    """Return a precision or a recall; Keras takes no means over classes."""
    largest = metric.threshold is None and metric.thresholds is None and metric.top_k is None
    if largest or metric.average not in (None, "micro") or metric.ignore_class is not None:
        return None
    thresholds = metric.thresholds
    if thresholds is None and metric.top_k is None and metric.threshold != 0.5:
        thresholds = metric.threshold
    config = {
        "name": metric.label,
        "thresholds": plain(thresholds),
        "top_k": metric.top_k,
        "class_id": metric.class_id,
    }
    given = {name: value for name, value in config.items() if value is not None}
    return keras_object(type(metric).__name__, given, MODULE)


def _weighs_otherwise(metric: AbstractMetric) -> bool:
    """Return whether Keras rounds weights to whole numbers, or ignores them in a part."""
    adjusted = isinstance(metric, R2Score) and metric.num_regressors > 0
    return adjusted or isinstance(metric, AbstractIoU)

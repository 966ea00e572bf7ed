"""The field of metrics of an experiment: names, metrics and losses."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import PlainValidator

from dnnbridge.base.messages import close_match, shorten
from dnnbridge.errors import SpecError
from dnnbridge.losses import AbstractLoss
from dnnbridge.metrics.base import AbstractMetric
from dnnbridge.metrics.functions import FunctionMetric, MetricFunction, registered
from dnnbridge.metrics.means import LossMetric
from dnnbridge.specs.fields import Converted
from dnnbridge.specs.json_types import by_name, listed, of_kind, read_as, words
from dnnbridge.specs.resolving import find_named, makeable_names, named

_named_metric, _named_loss = named(AbstractMetric), named(AbstractLoss)


def as_metrics(value: Any) -> tuple[AbstractMetric, ...]:
    """Return metrics given by name or as specs; "loss" is skipped, as it is always reported."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise SpecError(
            "expected a list of metrics", got=shorten(value), hint='Write ["accuracy"].'
        )
    return tuple(_as_metric(item) for item in value if not _is_loss_name(item))


def _is_loss_name(item: Any) -> bool:
    return isinstance(item, str) and item == "loss"


def _as_metric(item: Any) -> AbstractMetric:
    """Return a metric; a loss becomes a `LossMetric`, a function a `FunctionMetric`."""
    if isinstance(item, AbstractLoss):
        return LossMetric(item)
    if registered(item) or (inspect.isroutine(item) and not _is_of_framework(item)):
        return FunctionMetric(item)
    if isinstance(item, str):
        if find_named(AbstractMetric, item) is not None:
            return _named_metric(item)
        if find_named(AbstractLoss, item) is None:
            raise SpecError(
                "expected a metric, a loss or the name of one",
                got=shorten(item),
                hint=close_match(item, makeable_names(AbstractMetric, AbstractLoss)),
            )
        return LossMetric(_named_loss(item))
    return _named_metric(item)


def _is_of_framework(item: Any) -> bool:
    """Return whether a function is that of a framework, whose tensors it needs."""
    return str(item.__module__).partition(".")[0] in ("keras", "tensorflow", "mindspore")


METRIC_FORMS = (
    *(of_kind(AbstractMetric), by_name(AbstractMetric)),
    *(of_kind(AbstractLoss), by_name(AbstractLoss)),
    words("loss"),
)

MetricsLike = Annotated[
    Iterable[str | AbstractMetric | AbstractLoss | MetricFunction],
    PlainValidator(as_metrics),
    read_as(listed(*METRIC_FORMS)),
]
"""Field of metrics or their names."""

MetricsField = Converted[tuple[AbstractMetric, ...], MetricsLike]
"""The same field, which holds a tuple of metrics after construction."""

"""Metrics as an experiment takes them: names, specs and losses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import PlainValidator

from dnnbridge.errors import SpecError
from dnnbridge.losses import AbstractLoss
from dnnbridge.metrics.base import AbstractMetric
from dnnbridge.metrics.means import LossMetric
from dnnbridge.specification import alias_of, kinds, named
from dnnbridge.wording import close_match, shorten

_named_metric, _named_loss = named(AbstractMetric), named(AbstractLoss)


def as_metrics(value: Any) -> tuple[AbstractMetric, ...]:
    """Return metrics given by name or as specs. "loss" may be named; it is always reported."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise SpecError(
            "expected a list of metrics", got=shorten(value), hint='Write ["accuracy"].'
        )
    return tuple(_as_metric(item) for item in value if not _is_loss_name(item))


def _is_loss_name(item: Any) -> bool:
    return isinstance(item, str) and item == "loss"


def _as_metric(item: Any) -> AbstractMetric:
    """Return a metric; a loss, or its name, becomes the metric that is its mean."""
    if isinstance(item, AbstractLoss):
        return LossMetric(item)
    if isinstance(item, str):
        metrics = {alias_of(cls) for cls in kinds(AbstractMetric)}
        losses = {alias_of(cls) for cls in kinds(AbstractLoss)}
        if item in losses - metrics:
            return LossMetric(_named_loss(item))
        if item not in metrics:
            raise SpecError(
                "expected a metric, a loss or the name of one",
                got=shorten(item),
                hint=close_match(item, metrics | losses),
            )
    return _named_metric(item)


MetricsLike = Annotated[Iterable[str | AbstractMetric | AbstractLoss], PlainValidator(as_metrics)]
"""Field of metrics or their names."""

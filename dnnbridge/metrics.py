"""Metrics: numbers per example, averaged exactly over an epoch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import PlainValidator

from dnnbridge import ops
from dnnbridge.arrays import Array
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.losses.base import per_example
from dnnbridge.scope import Scope
from dnnbridge.specification import Spec, named, spec
from dnnbridge.wording import shorten, snake_case


@dataclass(frozen=True, kw_only=True)
class AbstractMetric(Spec):
    """Base of metrics. A subclass defines `emit`, and `result` unless it is a mean.

    Args:
        name: name in the history; by default the class in snake case.
    """

    name: str | None = None

    @property
    def label(self) -> str:
        """Name in the history."""
        return self.name or snake_case(type(self).__name__)

    def result(self, total: Array, count: float) -> float:
        """Return the metric of an epoch, from the sum of `emit` over its `count` examples."""
        return float(total) / count

    @abstractmethod
    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        """Write a statistic of every example, of shape (batch, …); core sums it over examples."""


@spec
class Accuracy(AbstractMetric):
    """Share of examples whose largest prediction is at the label; the first of equal ones counts

    Labels may be class numbers or distributions over the last axis.

    Example:
        >>> Accuracy().label
        'accuracy'
    """

    def emit(self, scope: Scope, prediction: Value, target: Value) -> Value:
        scope.require(
            prediction.rank >= 2 and (prediction.shape[-1] or 0) >= 2,
            "accuracy needs two classes or more in the last axis of the prediction",
            got=f"shape ({shape_text(prediction.shape)})",
            hint="Leave accuracy out, or predict one number per class.",
        )
        label = target if target.dtype == "int32" else ops.argmax(target)
        return per_example(ops.cast(ops.equal(ops.argmax(prediction), label), "float32"))


_as_metric = named(AbstractMetric)


def as_metrics(value: Any) -> tuple[AbstractMetric, ...]:
    """Return metrics given by name or as specs. "loss" may be named; it is always reported."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise SpecError(
            "expected a list of metrics", got=shorten(value), hint='Write ["accuracy"].'
        )
    return tuple(_as_metric(item) for item in value if item != "loss")


MetricsLike = Annotated[Iterable[str | AbstractMetric], PlainValidator(as_metrics)]
"""Field of metrics or their names."""

"""The metrics of a batch: labels, and sums over examples, or over weighted examples and steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dnnbridge import ops
from dnnbridge.emit.outputs import Prediction
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.losses.reducing import require_batch
from dnnbridge.metrics import AbstractMetric
from dnnbridge.program.heads import Head
from dnnbridge.program.masked import OfSteps

if TYPE_CHECKING:
    from dnnbridge.program.objectives import Objective

Labelled = list[tuple[str, AbstractMetric]]
"""Metrics with their names in the history."""


def labelled(head: Head) -> tuple[Labelled, Labelled]:
    """Return the metrics and the weighted metrics of a head, with the names that Keras uses."""
    prefix = f"{head.output}_" if head.output else ""
    plain = [(prefix + metric.label, metric) for metric in head.metrics]
    taken = {label for label, _ in plain}
    weighted: Labelled = []
    for metric in head.weighted_metrics:
        label = prefix + metric.label
        label = f"{prefix}weighted_{metric.label}" if label in taken else label
        weighted.append((label, metric))
        taken.add(label)
    return plain, weighted


def emit_metrics(
    scope: Scope,
    objective: Objective,
    prediction: Prediction,
    mask: Value | None,
    given: Mapping[str, Value],
) -> dict[str, Value]:
    """Write the sum of every metric of an output, and the sum of the weights, by result name."""
    results: dict[str, Value] = {}
    labels = given[objective.labels_feed]
    weights = scope.builder.local(given[objective.weights_feed]) if objective.weighted else None
    of_steps = weights if weights is not None and weights.rank > 1 else None
    if weights is not None and mask is not None:
        column = weights if weights.rank > 1 else ops.reshape(weights, (*weights.shape, 1))
        of_steps = mask * column
    for label, metric in objective.metrics.items():
        asked, taken = prediction.taken_by(metric)
        if label not in objective.weighted:
            how = None if mask is None else OfSteps(asked)
            read = [taken, labels] if mask is None else [taken, labels, mask]
        else:
            how = None if of_steps is None else OfSteps(asked, weighted=True)
            read = [taken, labels] if of_steps is None else [taken, labels, of_steps]
        value = scope.call(how or asked, *read, name=label)
        require_batch(value, label)
        alone = label in objective.weighted and of_steps is None
        results[label] = _weighted_sum(value, weights) if alone else scope.batch_sum(value)
    if weights is not None:
        counted = weights if of_steps is None else of_steps
        results[objective.metric_weights] = ops.reduce_sum(counted, tuple(range(counted.rank)))
    return results


def _weighted_sum(value: Value, weights: Value | None) -> Value:
    """Return the sum of a statistic over examples, each times its weight."""
    assert weights is not None
    factors = ops.reshape(weights, (*weights.shape, *(1,) * (value.rank - 1)))
    return ops.reduce_sum(value * factors, 0)

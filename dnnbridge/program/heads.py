"""`Head`: the loss and metrics of one output of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import PlainValidator

from dnnbridge.base.messages import shorten
from dnnbridge.errors import SpecError
from dnnbridge.losses import AbstractLoss
from dnnbridge.metrics import MetricsField
from dnnbridge.specs.fields import Converted, NonNegativeFloat, default
from dnnbridge.specs.json_types import by_name, listed, of_kind, read_as
from dnnbridge.specs.resolving import named
from dnnbridge.specs.spec import Spec, spec


@spec
class Head(Spec):
    """Loss and metrics of one output of a model with several

    Give labels and sample weights by the name of the output. The history has `<output>_loss` and
    `<output>_<metric>`, and "loss" for the weighted sum.

    Args:
        output: name of the layer that gives the output.
        loss: the loss to minimise.
        weight: factor of this loss in the sum.
        metrics: names or specs.
        weighted_metrics: metrics in which an example counts as often as its sample weight.

    Example:
        >>> import dnnbridge as db
        >>> x = db.Input((8,))
        >>> model = db.Model(x, [db.Dense(4, name="kind")(x), db.Dense(1, name="size")(x)])
        >>> kind = db.Head("kind", db.SparseCategoricalCrossentropy(from_logits=True))
        >>> size = db.Head("size", db.MeanSquaredError(), weight=0.1)
        >>> experiment = db.Experiment(model, [kind, size], db.SGD(0.1))
        >>> list(experiment.program().objectives)
        ['kind', 'size']
    """

    written_if_given = ("weighted_metrics",)

    output: str
    loss: Annotated[
        AbstractLoss,
        PlainValidator(named(AbstractLoss)),
        read_as(of_kind(AbstractLoss), by_name(AbstractLoss)),
    ]
    weight: NonNegativeFloat = 1.0
    metrics: MetricsField = default(())
    weighted_metrics: MetricsField = default(())


_named_loss = named(AbstractLoss)


def as_loss(value: Any) -> AbstractLoss | tuple[Head, ...]:
    """Return the loss of a model with one output, or the heads of one with several."""
    if not isinstance(value, (list, tuple)):
        return _named_loss(value)
    if not value or not all(isinstance(head, Head) for head in value):
        raise SpecError(
            "expected a loss, or a Head for each output",
            got=shorten(value),
            hint='Write loss=[Head("size", MeanSquaredError()), …].',
        )
    outputs = [head.output for head in value]
    if len(set(outputs)) < len(outputs):
        raise SpecError("two heads have the same output", got=", ".join(outputs))
    return tuple(value)


LossLike = Annotated[
    str | AbstractLoss | Sequence[Head],
    PlainValidator(as_loss),
    read_as(of_kind(AbstractLoss), by_name(AbstractLoss), listed(of_kind(Head), least=1)),
]
"""Accepted types: a loss, its name, or heads."""

LossField = Converted[AbstractLoss | tuple[Head, ...], LossLike]
"""The field, which holds a loss or a tuple of heads."""

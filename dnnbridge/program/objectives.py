"""Losses and metrics of a batch: their feeds, their graph and their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dnnbridge import ops
from dnnbridge.emit.outputs import Prediction
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import TensorType, Value
from dnnbridge.losses import AbstractLoss, Target
from dnnbridge.losses.reducing import reduced, require_batch
from dnnbridge.metrics import AbstractMetric, LossMetric
from dnnbridge.program.heads import Head
from dnnbridge.program.masked import check_mask, left_in, of_steps
from dnnbridge.program.metric_sums import emit_metrics, labelled

LABELS = "y"
"""Name of the labels if the model has one output."""

WEIGHTS = "weights:"
"""Prefix of the feeds of sample weights, which are 0 for padding examples."""


@dataclass(frozen=True)
class Objective:
    """The loss and metrics of one output.

    Attributes:
        output: name of the output.
        name: name of its labels and prefix of its metrics; empty if there is only one loss.
        loss: the loss.
        weight: factor of the loss in the loss of the batch.
        metrics: the metrics by label.
        weighted: labels of those that use the sample weights.
        weights: type of the sample weights: one per example, or per step.
        targets: required form of the labels: first for the loss, then for metrics that have one.
    """

    output: str
    name: str
    loss: AbstractLoss
    weight: float
    metrics: Mapping[str, AbstractMetric]
    weights: TensorType
    targets: tuple[Target, ...]
    weighted: frozenset[str] = frozenset()

    @property
    def target(self) -> Target:
        """Required form of the labels for the loss."""
        return self.targets[0]

    @property
    def key(self) -> str:
        """Name of the labels of this output."""
        return self.name or LABELS

    @property
    def labels_feed(self) -> str:
        return f"target:{self.key}"

    @property
    def weights_feed(self) -> str:
        """Feed of the sample weights, which are 0 for padding examples."""
        return f"{WEIGHTS}{self.key}"

    @property
    def divisor_result(self) -> str:
        """Name of the result with the divisor of the loss, if it is not the number of examples."""
        return f"divisor:{self.key}"

    @property
    def metric_weights(self) -> str:
        """Name of the result with the sum of the weights, if there are weighted metrics."""
        return f"metric_weights:{self.key}"

    @property
    def summed(self) -> tuple[str, ...]:
        """Names of the results that are summed over an epoch: the metrics, and their weights."""
        return (*self.metrics, self.metric_weights) if self.weighted else tuple(self.metrics)

    @property
    def loss_label(self) -> str:
        """Name of the result with the loss of this output, if the batch loss has other terms."""
        return f"{self.name}_loss" if self.name else f"loss:{LABELS}"

    @property
    def feeds(self) -> dict[str, TensorType]:
        return {self.labels_feed: self.target.type, self.weights_feed: self.weights}


def objectives(heads: Sequence[Head], outputs: Mapping[str, TensorType]) -> dict[str, Objective]:
    """Return the objectives of a model's outputs by key.

    Raises:
        SpecError: the output of a head does not exist, or two metrics have the same name.
        ShapeError: a loss does not fit its output.
    """
    made: dict[str, Objective] = {}
    labels = ["loss"]
    for head in heads:
        output = head.output or _only(outputs)
        if output not in outputs:
            raise SpecError(
                "the model has no such output",
                where="loss",
                got=repr(output),
                hint=f"Its outputs are {', '.join(outputs)}.",
            )
        plain, weighted = labelled(head)
        metrics = dict(plain + weighted)
        labels += [f"{head.output}_loss"] * bool(head.output)
        labels += [label for label, _ in plain + weighted]
        target, prediction = head.loss.target(outputs[output]), outputs[output]
        _check_ignored(target.ignored, metrics)
        wanted = [metric.target(prediction) for metric in metrics.values()]
        targets = (target, *(found for found in wanted if found))
        weights = head.loss.weights(prediction)
        objective = Objective(
            *(output, head.output, head.loss, head.weight, metrics, weights, targets),
            frozenset(label for label, _ in weighted),
        )
        made[objective.key] = objective
    for label in labels:
        if labels.count(label) > 1:
            raise SpecError(
                "two metrics have the same name",
                where="metrics",
                got=label,
                hint="Give one a name=….",
            )
    return made


def _check_ignored(ignored: int | None, metrics: Mapping[str, AbstractMetric]) -> None:
    """Raise if a metric with ignore_class counts labels that the loss ignores."""
    for label, metric in metrics.items():
        loss = metric.loss if isinstance(metric, LossMetric) else None
        found = getattr(loss or metric, "ignore_class", ignored)
        if ignored is not None and found != ignored:
            raise SpecError(
                "the loss ignores labels that the metric counts",
                where=label,
                got=f"ignore_class {ignored} and {found}",
                hint=f"Give {'its loss' if loss else 'the metric'} ignore_class={ignored}.",
            )


def _only(outputs: Mapping[str, TensorType]) -> str:
    if len(outputs) > 1:
        raise SpecError(
            "a model with several outputs needs a Head for each output to train",
            where="loss",
            got=f"outputs {', '.join(outputs)}",
            hint="Write loss=[Head(output, loss), …].",
        )
    return next(iter(outputs))


def emit_objectives(
    scope: Scope,
    made: Mapping[str, Objective],
    predictions: Mapping[str, Value],
    given: Mapping[str, Value],
) -> dict[str, Value]:
    """Emit the loss of the batch and the sum of every metric; return them by result name."""
    results: dict[str, Value] = {}
    terms = []
    for objective in made.values():
        made_of = predictions[objective.output]
        prediction, mask = Prediction(scope.builder, made_of), scope.mask(made_of)
        check_mask(scope, mask, made_of, objective.output)
        loss, divisor = _batch_loss(scope, objective, prediction, mask, given)
        results[objective.loss_label] = loss
        if divisor is not None:
            results[objective.divisor_result] = divisor
        terms.append(loss if objective.weight == 1.0 else objective.weight * loss)
        results |= emit_metrics(scope, objective, prediction, mask, given)
    total = sum([*terms[1:], *scope.losses], start=terms[0])
    scope.losses.clear()
    first = next(iter(made.values()))
    if total is results[first.loss_label]:
        del results[first.loss_label]
    return {"loss": total} | results


def _batch_loss(
    scope: Scope,
    objective: Objective,
    prediction: Prediction,
    mask: Value | None,
    given: Mapping[str, Value],
) -> tuple[Value, Value | None]:
    """Return the loss of the batch, and its divisor if the step computes it."""
    name = f"{objective.name}_loss" if objective.name else "loss"
    asked, wanted = objective.loss, objective.weights
    if mask is not None:
        asked, wanted = of_steps(asked), mask.type
    loss, taken = prediction.taken_by(asked)
    made = scope.call_all(loss, taken, given[objective.labels_feed], name=name)
    for value in made:
        require_batch(value, name, exactly=wanted)
    weights = scope.builder.local(given[objective.weights_feed])
    if mask is not None:
        made = left_in(mask, made)
        weights = weights if weights.rank > 1 else ops.reshape(weights, (*weights.shape, 1))
        weights = ops.broadcast_to(weights, mask.shape)
    return reduced(scope, made, weights, objective.loss.reduction)

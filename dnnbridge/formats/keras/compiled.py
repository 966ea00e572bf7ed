"""Loss, metrics and optimizer of a compiled Keras model as specs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dnnbridge.base.messages import shorten, snake_case
from dnnbridge.errors import ConversionError, DnnbridgeError
from dnnbridge.formats.keras.live import EXEMPT
from dnnbridge.formats.keras.optimizers import read_keras_optimizer
from dnnbridge.formats.keras.parts import with_arguments
from dnnbridge.formats.keras.settings import Serialized, serialized
from dnnbridge.losses import AbstractLoss, Dice, TimeDistributedLoss, Tversky
from dnnbridge.losses.overlap import axes_left
from dnnbridge.metrics import AbstractMetric, Accuracy
from dnnbridge.metrics.functions import FunctionMetric, registered
from dnnbridge.metrics.means import LossMetric
from dnnbridge.optimizers import AbstractOptimizer, NativeOptions
from dnnbridge.optimizers.loss_scale import AbstractLossScale, DynamicLossScale
from dnnbridge.program.heads import Head

Outputs = Mapping[str, tuple[int | None, ...]]
"""The shape of each output, by name."""

ACCURACIES = {"accuracy", "acc"}


@dataclass
class Compiled:
    """What `model.compile` was given; None for what was not given or cannot be read.

    Attributes:
        loss: of the model, or a `Head` for each output of several.
        metrics: of a model with one output.
        weighted_metrics: those that use sample weights.
        optimizer: the optimizer.
        optimizer_config: its configuration.
        loss_scale: what scales the loss; None for what the precision says.
        notes: what was left out, a sentence each.
    """

    loss: AbstractLoss | tuple[Head, ...] | None = None
    metrics: tuple[AbstractMetric, ...] = ()
    weighted_metrics: tuple[AbstractMetric, ...] = ()
    optimizer: AbstractOptimizer | None = None
    optimizer_config: Serialized | None = None
    loss_scale: AbstractLossScale | None = None
    notes: list[str] = field(default_factory=list)


GROWTH = "dynamic_growth_steps"
"""Finite steps in a row before the scale of the loss doubles."""


def read_compiled(
    config: Mapping[str, Any] | None,
    outputs: Outputs,
    where: str,
    names_here: Mapping[str, str] | None = None,
    trained: Sequence[str] = (),
) -> Compiled:
    """Read the arguments of `model.compile`.

    Args:
        config: the arguments.
        outputs: the outputs of the model here.
        where: the source, for errors.
        names_here: the name here of each layer of Keras.
        trained: names of the weights that are trained, in Keras' order.

    Raises:
        ConversionError: the arguments name an output that the model lacks, or weigh the loss of a
            single output.
    """
    made = Compiled()
    if config is None:
        made.notes.append("The model was not compiled: it has no loss, optimizer or metrics.")
        return made
    exempt = tuple(trained[i] for i in config.get(EXEMPT, ()))
    _read_optimizer(config.get("optimizer"), made, where, NativeOptions(exempt=exempt))
    names = list(outputs)
    renamed = names_here or {}
    losses, weights, metrics, weighted = (
        _checked(_by_output(config.get(key), names, "metrics" in key), names, renamed, key, where)
        for key in ("loss", "loss_weights", "metrics", "weighted_metrics")
    )
    if len(names) == 1 and any(_number(weight) != 1.0 for weight in weights.values()):
        raise ConversionError(
            "the loss of a single output cannot have a weight here",
            where=f"{where}: loss_weights",
            got=shorten(config.get("loss_weights")),
            hint="Compile the model without it, with a learning rate that has the factor.",
        )
    heads = [
        Head(
            *(name, loss, _number(weights.get(name))),
            *(_metrics(given.get(name), made) for given in (metrics, weighted)),
        )
        for name, shape in outputs.items()
        if (loss := _of_places(_loss(losses.get(name), made), shape, made)) is not None
    ]
    if len(names) > 1:
        made.loss = tuple(heads) or None
    elif heads:
        made.loss, made.metrics = heads[0].loss, heads[0].metrics
        made.weighted_metrics = heads[0].weighted_metrics
    return made


def _of_places(
    loss: AbstractLoss | None, shape: tuple[int | None, ...], made: Compiled
) -> AbstractLoss | None:
    """Return a loss whose sum is over all places of an output, as in Keras."""
    if loss is None or loss.reduction != "sum":
        return loss
    if isinstance(loss, (Dice, Tversky)):
        left = axes_left(loss, len(shape))
        if left <= {0}:  # one number for the batch, which Keras adds up once
            return loss if left else loss.replace(reduction="mean")
    elif len(shape) < 3:
        return loss
    elif len(shape) == 3:
        return TimeDistributedLoss(loss.replace(reduction="mean"), reduction="sum")
    made.notes.append(f"The loss {loss!r} was left out: Keras adds up all places of an output.")
    return None


def _read_optimizer(value: Any, made: Compiled, where: str, options: NativeOptions) -> None:
    found = Serialized(value, {}) if isinstance(value, str) else serialized(value)
    if found is not None and found.kind == "LossScaleOptimizer":
        made.loss_scale = DynamicLossScale(
            float(found.config["initial_scale"]), growth_steps=int(found.config[GROWTH])
        )
        found = serialized(found.config["inner_optimizer"])
    if found is None:
        return
    # fit multiplies the loss by this factor, and the optimizer divides the gradients by it.
    config = {**found.config, "loss_scale_factor": None}
    try:
        made.optimizer = read_keras_optimizer(found.kind, config, options, where)
    except DnnbridgeError as error:
        made.notes.append(f"The optimizer was left out: {error}")
        return
    if made.optimizer is None:
        made.notes.append(f"The optimizer {found.kind} was left out: it has no counterpart here.")
    made.optimizer_config = found


def _by_output(value: Any, names: Sequence[str], listed: bool = False) -> dict[str, Any]:
    """Return what each output was given: Keras takes one for all, a list, or a dictionary."""
    if value is None:
        return {}
    if isinstance(value, Mapping) and serialized(value) is None:
        return dict(value)
    if not isinstance(value, (list, tuple)):
        return dict.fromkeys(names, value)
    if len(names) == 1:
        nested = len(value) == 1 and isinstance(value[0], (list, tuple))
        return {names[0]: value[0] if nested or not listed else value}
    return dict(zip(names, value, strict=False))


def _checked(
    given: Mapping[str, Any],
    names: Sequence[str],
    renamed: Mapping[str, str],
    key: str,
    where: str,
) -> dict[str, Any]:
    """Return what outputs were given by the names here; raise for an output that is not there."""
    if len(names) == 1 and len(given) == 1:
        return {names[0]: next(iter(given.values()))}
    made = {renamed.get(name, name): value for name, value in given.items()}
    unknown = [name for name in made if name not in names]
    if unknown:
        raise ConversionError(
            "names outputs that the model does not have",
            where=f"{where}: {key}",
            got=", ".join(unknown),
            hint=f"The outputs are {', '.join(names)}.",
        )
    return made


def _number(value: Any) -> float:
    return 1.0 if value is None else float(value)


def _loss(value: Any, made: Compiled) -> AbstractLoss | None:
    if value is None:
        return None
    found = Serialized(value, {}) if isinstance(value, str) else serialized(value)
    loss = None
    if found is not None:
        try:
            loss = with_arguments(AbstractLoss, found)
        except DnnbridgeError as error:
            made.notes.append(f"The loss {found.kind} was left out: {error}")
            return None
    if loss is None:
        kind = found.kind if found else shorten(value, 60)
        made.notes.append(f"The loss {kind} was left out: it has no counterpart here.")
    return loss


def _metrics(value: Any, made: Compiled) -> tuple[AbstractMetric, ...]:
    if value is None:
        return ()
    values = value if isinstance(value, (list, tuple)) else [value]
    return tuple(metric for each in values if (metric := _metric(each, made)) is not None)


def _function(name: str, made: Compiled) -> FunctionMetric | None:
    """Return the registered function with the name of a function that Keras was given."""
    if registered(name):
        return FunctionMetric(name)
    made.notes.append(
        f"The metric {name} was left out: it is a Python function. Write it with db.ops and "
        "@db.metric under the same name first."
    )
    return None


def _metric(value: Any, made: Compiled) -> AbstractMetric | None:
    if isinstance(value, Mapping) and value.get("class_name") == "function":
        return _function(str(value.get("config")), made)
    found = Serialized(value, {}) if isinstance(value, str) else serialized(value)
    if found is None:
        made.notes.append(f"The metric {shorten(value, 60)} was left out: it is no class of Keras.")
        return None
    if isinstance(value, str) and value.lower() in ACCURACIES:
        return Accuracy(name=None if value.lower() == "accuracy" else value)
    if found.kind == "Accuracy":
        made.notes.append(
            "The metric Accuracy was left out: this class of Keras counts predictions that equal "
            'the label exactly. Write "accuracy" for the share of right classes.'
        )
        return None
    try:
        metric = with_arguments(AbstractMetric, found)
        if metric is None:
            loss = with_arguments(AbstractLoss, found)
            metric = None if loss is None else LossMetric(loss)
    except DnnbridgeError as error:
        made.notes.append(f"The metric {found.kind} was left out: {error}")
        return None
    label = found.config.get("name")
    usual = {snake_case(found.kind), metric.label} if metric is not None else set()
    if metric is not None and label and label not in usual and metric.name is None:
        metric = metric.replace(name=re.sub(r"\W", "_", str(label)))
    if metric is None:
        arguments = {k: v for k, v in found.config.items() if k not in ("name", "dtype")}
        given = f" with {shorten(arguments, 80)}" if arguments else ""
        made.notes.append(
            f"The metric {found.kind}{given} was left out: it has no counterpart here."
        )
    return metric

"""Loss, metrics and optimizer as the arguments of `model.compile`, serialised."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from dnnbridge.base.messages import snake_case
from dnnbridge.experiment import Experiment
from dnnbridge.formats.keras.optimizers import (
    CLIPPING,
    COMMON,
    OPTIMIZERS,
    read_keras_optimizer,
    read_keras_schedule,
)
from dnnbridge.formats.keras.settings import Serialized
from dnnbridge.formats.keras.writing.parts import fields_of, keras_object, plain
from dnnbridge.losses import AbstractLoss, TimeDistributedLoss
from dnnbridge.optimizers import SGD, AbstractOptimizer, NativeOptions
from dnnbridge.optimizers.accumulation import GradientAccumulation
from dnnbridge.optimizers.averaging import ExponentialMovingAverage
from dnnbridge.optimizers.weight_decay import DecoupledWeightDecay
from dnnbridge.optimizers.wrappers import WithGradientRules
from dnnbridge.schedules import AbstractSchedule, CosineDecay, PiecewiseConstant, Strided, Warmup
from dnnbridge.schedules.base import ConstantSchedule
from dnnbridge.specs.showing import differing
from dnnbridge.specs.spec import Spec

AROUND = (ExponentialMovingAverage, GradientAccumulation, WithGradientRules)
"""Optimizers around an optimizer that Keras writes as arguments."""

SCHEDULES = (
    *("CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay"),
    *("PiecewiseConstantDecay", "PolynomialDecay"),
)


def write_loss(loss: AbstractLoss) -> dict[str, Any] | None:
    """Return a serialised loss; None if Keras has no such loss."""
    if isinstance(loss, TimeDistributedLoss):  # the losses of Keras take weights of steps
        loss = loss.loss.replace(reduction=loss.reduction)
    return written(loss, "keras.losses")


NOT_IN_KERAS = {
    *("class_weights", "epsilon", "normalize", "fused", "label_length", "blank", "padding"),
    *("log_input", "centre", "average", "ignore_class", "threshold"),
}
"""Fields of losses and metrics that Keras lacks for some of them."""

EXCEPTIONS = {
    ("SparseCategoricalCrossentropy", "ignore_class"): True,
    ("SparseCategoricalCrossentropy", "label_smoothing"): False,
    ("KLDivergence", "from_logits"): False,
    ("BinaryAccuracy", "threshold"): True,
    ("BinaryIoU", "threshold"): True,
    **{(kind, "average"): True for kind in ("F1Score", "FBetaScore")},
    **{(kind, "threshold"): True for kind in ("F1Score", "FBetaScore")},
    **{(kind, "ignore_class"): True for kind in ("IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU")},
}
"""Whether Keras has a field of a class, where the set above does not say it."""


DEFAULTS_DIFFER = {("F1Score", "average"), ("F1Score", "threshold")}
"""Fields that are always written, since Keras has another default."""


def _is_in_keras(kind: str, name: str) -> bool:
    return EXCEPTIONS.get((kind, name), name not in NOT_IN_KERAS)


REDUCTIONS = {"weighted_mean": "mean_with_sample_weight", "mean": "sum_over_batch_size"}


def written(spec: Spec, module: str, native: str = "") -> dict[str, Any] | None:
    """Return a spec whose arguments are those of Keras; its defaults are Keras'.

    Args:
        spec: the spec.
        module: the module of Keras that has the class.
        native: the name of the class in Keras; by default that of ours.
    """
    kind = type(spec).__name__
    names = {*differing(spec), *(name for cls, name in DEFAULTS_DIFFER if cls == kind)}
    config = {name: plain(getattr(spec, name)) for name in sorted(names)}
    surplus = {name for name in config if not _is_in_keras(kind, name)}
    if surplus or any(isinstance(value, Spec) for value in config.values()):
        return None
    if "reduction" in config:
        config["reduction"] = REDUCTIONS.get(config["reduction"], config["reduction"])
    return keras_object(native or kind, config, module)


def write_optimizer(experiment: Experiment, optimizer: AbstractOptimizer) -> Serialized | None:
    """Return the optimizer of an experiment as a Keras optimizer.

    Returns:
        None if Keras has no optimizer that computes the same.
    """
    inner, common = _unwrapped(experiment, optimizer)
    if inner is None or common is None:
        return None
    kind = type(inner).__name__
    make = OPTIMIZERS.get(kind)
    rate = _rate(_per_batch(getattr(inner, "learning_rate", None), common))
    if make is None or rate is None:
        return None
    if isinstance(inner, SGD) and inner.momentum and isinstance(rate, float):
        inner = inner.replace(rate_in_velocity=True)  # the same, with a constant rate
    decay = getattr(inner, "weight_decay", None)
    if decay is not None:
        decays = _rate(decay.rate) if isinstance(decay, DecoupledWeightDecay) else None
        if not isinstance(decays, float) or decay.exempt:
            return None
        common["weight_decay"] = decays
    names = inspect.signature(getattr(type(inner), "keras", type(inner))).parameters
    own = {
        name: plain(value)
        for name, value in fields_of(inner).items()
        if name in names and name not in COMMON
    }
    config = {"name": snake_case(kind), "learning_rate": rate, **common, **own}
    found = read_keras_optimizer(kind, config, NativeOptions())
    return Serialized(kind, config) if found and innermost(found) == inner else None


def _per_batch(rate: Any, common: Mapping[str, Any]) -> Any:
    """Return the schedule of batches, which Keras reads where updates are accumulated."""
    steps = common.get("gradient_accumulation_steps", 1)
    if steps > 1 and isinstance(rate, Strided) and (rate.steps, rate.offset) == (steps, steps - 1):
        return rate.schedule
    return rate


def innermost(optimizer: AbstractOptimizer) -> AbstractOptimizer:
    """Return what makes the updates: all that is around it has arguments of its own in Keras."""
    while isinstance(optimizer, AROUND):
        optimizer = optimizer.optimizer
    return optimizer


def _unwrapped(
    experiment: Experiment, optimizer: AbstractOptimizer
) -> tuple[AbstractOptimizer | None, dict[str, Any] | None]:
    """Return the innermost optimizer, and what is around it as arguments of Keras."""
    common: dict[str, Any] = {}
    if experiment.loss_scale is not None or experiment.accumulate.steps != 1:
        return None, None
    if isinstance(optimizer, ExponentialMovingAverage):
        if optimizer.start_step:
            return None, None
        common |= {"use_ema": True, "ema_momentum": optimizer.decay}
        common["ema_overwrite_frequency"] = optimizer.overwrite_every
        optimizer = optimizer.optimizer
    if isinstance(optimizer, GradientAccumulation):
        window = optimizer.window
        if window.mean != "steps" or window.last != "carry":
            return None, None
        common["gradient_accumulation_steps"] = window.steps
        optimizer = optimizer.optimizer
    rules = list(experiment.gradients)
    if isinstance(optimizer, WithGradientRules):
        rules = [*rules, *optimizer.rules]
        optimizer = optimizer.optimizer
    return (optimizer, common) if _add_rules(rules, common) else (None, None)


def _add_rules(rules: Sequence[Any], common: dict[str, Any]) -> bool:
    """Add the rules for gradients; return whether Keras has them."""
    for rule in rules:
        names = [name for name, cls in CLIPPING.items() if type(rule) is cls]
        if names and not common.keys() & CLIPPING.keys():
            (common[names[0]],) = fields_of(rule).values()
        else:
            return False
    return True


def _rate(rate: Any) -> Any:
    """Return a rate as Keras writes it; None if it has no such schedule."""
    if not isinstance(rate, AbstractSchedule):
        return None if rate is None else float(rate)
    if isinstance(rate, ConstantSchedule):
        return rate.value
    kind, config = _schedule(rate)
    if kind not in SCHEDULES:
        return None
    made = keras_object(kind, config, "keras.optimizers.schedules")
    return made if read_keras_schedule(made) == rate else None


def _schedule(rate: AbstractSchedule) -> tuple[str, dict[str, Any]]:
    """Return the class and the arguments of a schedule in Keras, as far as there is one."""
    config = {name: plain(value) for name, value in fields_of(rate).items()}
    if isinstance(rate, PiecewiseConstant):
        return "PiecewiseConstantDecay", {
            "boundaries": config["boundaries"],
            "values": config["rates"],
        }
    if isinstance(rate, Warmup) and isinstance(rate.schedule, CosineDecay):
        cosine = fields_of(rate.schedule)
        warm = {"warmup_target": cosine["initial_learning_rate"], "warmup_steps": rate.steps}
        return "CosineDecay", {**cosine, **warm, "initial_learning_rate": rate.start}
    if isinstance(rate, CosineDecay):
        config |= {"warmup_target": None, "warmup_steps": 0}
    return type(rate).__name__, config

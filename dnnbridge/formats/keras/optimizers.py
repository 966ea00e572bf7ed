"""Keras' optimizers as specs: all that counts is in their configuration."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from dnnbridge import optimizers, schedules
from dnnbridge.errors import SpecError
from dnnbridge.optimizers import AbstractOptimizer, NativeDifferenceWarning, NativeOptions, shortest
from dnnbridge.optimizers.accumulation import Accumulation, GradientAccumulation
from dnnbridge.optimizers.averaging import ExponentialMovingAverage
from dnnbridge.optimizers.gradient_rules import (
    AbstractGradientRule,
    ClipByGlobalNorm,
    ClipByNorm,
    ClipByValue,
    ScaleGradients,
)
from dnnbridge.optimizers.weight_decay import DecoupledWeightDecay
from dnnbridge.optimizers.wrappers import WithGradientRules
from dnnbridge.schedules import AbstractSchedule

Config = Mapping[str, Any]


def _adafactor(learning_rate: Any, relative_step: bool = True, **own: Any) -> AbstractOptimizer:
    if not relative_step:
        warnings.warn(
            "keras.optimizers.Adafactor ignores relative_step=False: its rate is still at most "
            "1 / √t. The spec does the same.",
            NativeDifferenceWarning,
            stacklevel=2,
        )
    return optimizers.Adafactor.keras(learning_rate, **own)


OPTIMIZERS: dict[str, Callable[..., AbstractOptimizer]] = {
    "Adadelta": optimizers.Adadelta.keras,
    "Adafactor": _adafactor,
    "Adagrad": optimizers.Adagrad.keras,
    "Adam": optimizers.Adam.keras,
    "AdamW": optimizers.AdamW.keras,
    "Adamax": optimizers.Adamax.keras,
    "Ftrl": optimizers.Ftrl.keras,
    "Lamb": optimizers.Lamb.keras,
    "Lion": optimizers.Lion.keras,
    "Nadam": optimizers.Nadam.keras,
    "RMSprop": optimizers.RMSprop.keras,
    "SGD": optimizers.SGD.keras,
}
"""Constructor of the spec for each Keras class; takes the arguments of the class."""

COMMON = {
    *("name", "learning_rate", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm"),
    *("use_ema", "ema_momentum", "ema_overwrite_frequency"),
    *("loss_scale_factor", "gradient_accumulation_steps"),
}
"""Arguments that every optimizer has."""

CLIPPING: dict[str, Callable[[float], AbstractGradientRule]] = {
    "clipvalue": ClipByValue,
    "clipnorm": ClipByNorm,
    "global_clipnorm": ClipByGlobalNorm,
}


def _cosine(c: Config) -> AbstractSchedule:
    start, steps, alpha = c["initial_learning_rate"], c["decay_steps"], c["alpha"]
    if c["warmup_target"] is None:
        return schedules.CosineDecay(start, steps, alpha)
    return schedules.Warmup(
        schedules.CosineDecay(c["warmup_target"], steps, alpha), c["warmup_steps"], start
    )


SCHEDULES: dict[str, Callable[[Config], AbstractSchedule]] = {
    "CosineDecay": _cosine,
    "CosineDecayRestarts": lambda c: schedules.CosineDecayRestarts(**c),
    "ExponentialDecay": lambda c: schedules.ExponentialDecay(**c),
    "InverseTimeDecay": lambda c: schedules.InverseTimeDecay(**c),
    "PiecewiseConstantDecay": lambda c: schedules.PiecewiseConstant.keras(**c),
    "PolynomialDecay": lambda c: schedules.PolynomialDecay(**c),
}
"""Constructor of the schedule for each Keras class; takes its configuration without the name."""


def read_keras_optimizer(
    kind: str, config: Config, options: NativeOptions, where: str = "from_native"
) -> AbstractOptimizer | None:
    """Return the spec of an optimizer of `keras.optimizers`; None for a class that is not there.

    Args:
        kind: the class.
        config: what its `get_config` returns, or a file has.
        options: what it cannot tell about itself.
        where: for errors.

    Raises:
        SpecError: the optimizer has no spec; the message says what to write.
    """
    if kind not in OPTIMIZERS:
        return None
    config = {**dict.fromkeys(COMMON), "use_ema": False, **config}
    steps = config["gradient_accumulation_steps"] or 1
    rate = _rate(config["learning_rate"], kind, where)
    if steps > 1 and isinstance(rate, AbstractSchedule):
        rate = schedules.Strided(rate, steps, steps - 1)  # Keras' schedules count batches
    own = {name: value for name, value in config.items() if name not in COMMON}
    decay = config["weight_decay"]
    decays = None
    if decay is not None:
        decays = DecoupledWeightDecay(float(decay), options.exempt)
    made = OPTIMIZERS[kind](learning_rate=rate, **own).replace(weight_decay=decays)
    return _averaged(_ruled(made, config, steps), config)


def _ruled(made: AbstractOptimizer, config: Config, steps: int) -> AbstractOptimizer:
    """Return the optimizer with scaling, clipping and accumulation around it."""
    rules: list[AbstractGradientRule] = []
    if config["loss_scale_factor"] is not None:
        rules.append(ScaleGradients(1.0 / config["loss_scale_factor"]))
    rules += [rule(config[n]) for n, rule in CLIPPING.items() if config[n] is not None]
    made = WithGradientRules(made, rules) if rules else made
    if steps == 1:
        return made
    return GradientAccumulation(made, Accumulation(steps, mean="steps", last="carry"))


def _averaged(made: AbstractOptimizer, config: Config) -> AbstractOptimizer:
    if not config["use_ema"]:
        return made
    if config["gradient_accumulation_steps"]:
        raise SpecError(
            "use_ema with gradient_accumulation_steps averages over batches, not updates",
            where="from_native",
            hint="Make the optimizer without use_ema, and put ExponentialMovingAverage around the "
            "spec or inside its GradientAccumulation.",
        )
    every = config["ema_overwrite_frequency"]
    return ExponentialMovingAverage(made, config["ema_momentum"], overwrite_every=every)


def read_keras_schedule(given: Any) -> AbstractSchedule | None:
    """Return the spec of a serialised schedule of Keras; None if it is something else."""
    kind = given.get("class_name") if isinstance(given, dict) else None
    if kind not in SCHEDULES or given.get("registered_name") is not None:
        return None
    return SCHEDULES[kind]({k: v for k, v in given["config"].items() if k != "name"})


def _rate(given: Any, optimizer: str, where: str) -> float | AbstractSchedule:
    if isinstance(given, (int, float)):
        return shortest(float(given))
    found = read_keras_schedule(given)
    if found is not None:
        return found
    name = f"the learning rate of keras.optimizers.{optimizer}, {given!r:.60}"
    raise SpecError(
        "is not a built-in Keras schedule",
        where=where,
        got=name,
        hint="Make the optimizer with a number, and give the spec its schedule: "
        "from_native(optimizer).with_rate(lambda rate: …).",
    )

"""Specs of live Keras optimizers: all that counts is in their public `get_config()`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import dnnbridge as db
from dnnbridge.backend import (
    AbstractGradientRule,
    AbstractOptimizer,
    AbstractSchedule,
    NativeDifferenceWarning,
    NativeOptions,
    SpecError,
    optimizers,
    shortest,
)

Config = Mapping[str, Any]


def _adafactor(learning_rate: Any, relative_step: bool, **own: Any) -> AbstractOptimizer:
    if not relative_step:
        warnings.warn(
            "keras.optimizers.Adafactor ignores relative_step=False: its rate is at most 1 / √t "
            "all the same, and so is the spec's.",
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
"""What takes the arguments of each class, under Keras' names."""

COMMON = {
    *("name", "learning_rate", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm"),
    *("use_ema", "ema_momentum", "ema_overwrite_frequency"),
    *("loss_scale_factor", "gradient_accumulation_steps"),
}
"""Arguments that every optimizer has."""

CLIPPING: dict[str, Callable[[float], AbstractGradientRule]] = {
    "clipvalue": db.ClipByValue,
    "clipnorm": db.ClipByNorm,
    "global_clipnorm": db.ClipByGlobalNorm,
}


def _cosine(c: Config) -> AbstractSchedule:
    start, steps, alpha = c["initial_learning_rate"], c["decay_steps"], c["alpha"]
    if c["warmup_target"] is None:
        return db.CosineDecay(start, steps, alpha)
    return db.Warmup(db.CosineDecay(c["warmup_target"], steps, alpha), c["warmup_steps"], start)


SCHEDULES: dict[str, Callable[[Config], AbstractSchedule]] = {
    "CosineDecay": _cosine,
    "CosineDecayRestarts": lambda c: db.CosineDecayRestarts(**c),
    "ExponentialDecay": lambda c: db.ExponentialDecay(**c),
    "InverseTimeDecay": lambda c: db.InverseTimeDecay(**c),
    "PiecewiseConstantDecay": lambda c: db.PiecewiseConstant.keras(**c),
    "PolynomialDecay": lambda c: db.PolynomialDecay(**c),
}
"""What takes the configuration of each schedule, without its name."""


def read(optimizer: Any, options: NativeOptions) -> AbstractOptimizer | None:
    """Return the spec of a Keras optimizer: what `dnnbridge_from_native` does."""
    kind = type(optimizer).__name__
    if kind == "LossScaleOptimizer":
        raise SpecError(
            "scales losses, which is not a matter of an optimizer here",
            where="keras.optimizers.LossScaleOptimizer",
            hint="Write Experiment(optimizer=from_native(optimizer.inner_optimizer), "
            f"loss_scale=DynamicLossScale({optimizer.initial_scale}, "
            f"growth_steps={optimizer.dynamic_growth_steps})).",
        )
    if not type(optimizer).__module__.startswith("keras.") or kind not in OPTIMIZERS:
        return None
    config = optimizer.get_config()
    steps = config["gradient_accumulation_steps"] or 1
    rate = _rate(config["learning_rate"], optimizer, options)
    if steps > 1 and isinstance(rate, AbstractSchedule):
        rate = db.Strided(rate, steps, steps - 1)  # Keras' schedules count batches
    own = {name: value for name, value in config.items() if name not in COMMON}
    decay = config["weight_decay"]
    decays = None if decay is None else db.DecoupledWeightDecay(float(decay), options.exempt)
    made = OPTIMIZERS[kind](learning_rate=rate, **own).replace(weight_decay=decays)
    return _averaged(_ruled(made, config, steps), config)


def _ruled(made: AbstractOptimizer, config: Config, steps: int) -> AbstractOptimizer:
    """Return the optimizer with scaling, clipping and accumulation around it."""
    rules: list[AbstractGradientRule] = []
    if config["loss_scale_factor"] is not None:
        rules.append(db.ScaleGradients(1.0 / config["loss_scale_factor"]))
    rules += [rule(config[n]) for n, rule in CLIPPING.items() if config[n] is not None]
    made = db.WithGradientRules(made, rules) if rules else made
    if steps == 1:
        return made
    return db.GradientAccumulation(made, db.Accumulation(steps, mean="steps", last="carry"))


def _averaged(made: AbstractOptimizer, config: Config) -> AbstractOptimizer:
    if not config["use_ema"]:
        return made
    if config["gradient_accumulation_steps"]:
        raise SpecError(
            "use_ema beside gradient_accumulation_steps averages batches, not updates",
            where="from_native",
            hint="Make the optimizer without use_ema, and put ExponentialMovingAverage around the "
            "spec, or inside its GradientAccumulation.",
        )
    every = config["ema_overwrite_frequency"]
    return db.ExponentialMovingAverage(made, config["ema_momentum"], overwrite_every=every)


def _rate(given: Any, optimizer: Any, options: NativeOptions) -> float | AbstractSchedule:
    if isinstance(given, (int, float)):
        return shortest(float(given))
    kind = given.get("class_name") if isinstance(given, dict) else None
    if kind in SCHEDULES and given["registered_name"] is None:
        return SCHEDULES[kind]({k: v for k, v in given["config"].items() if k != "name"})
    name = f"the learning rate of keras.optimizers.{type(optimizer).__name__}, {given!r:.60}"
    raise SpecError(
        "is not a schedule of Keras' own",
        where="from_native",
        got=name,
        hint="Make the optimizer with a number, and give the spec its schedule: "
        "from_native(optimizer).with_rate(lambda rate: …).",
    )

"""Specs of live Keras optimizers: all that counts is in their public `get_config()`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import dnnbridge as db
from dnnbridge import optimizers
from dnnbridge.errors import SpecError
from dnnbridge.gradient_rules import AbstractGradientRule
from dnnbridge.optimizers import AbstractOptimizer, NativeOptions, shortest
from dnnbridge.schedules import AbstractSchedule

Config = Mapping[str, Any]

OPTIMIZERS: dict[str, Callable[..., AbstractOptimizer]] = {
    "Adadelta": optimizers.Adadelta.keras,
    "Adagrad": optimizers.Adagrad.keras,
    "Adam": optimizers.Adam.keras,
    "AdamW": optimizers.AdamW.keras,
    "Adamax": optimizers.Adamax.keras,
    "Lion": optimizers.Lion.keras,
    "Nadam": optimizers.Nadam.keras,
    "RMSprop": optimizers.RMSProp.keras,
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
        rate = db.EveryNth(rate, steps, steps - 1)  # Keras' schedules count batches
    own = {name: value for name, value in config.items() if name not in COMMON}
    decay = config["weight_decay"]
    if decay is not None:
        own["weight_decay"] = db.DecoupledWeightDecay(float(decay), options.exempt)
    made = OPTIMIZERS[kind](learning_rate=rate, **own)
    return _averaged(_ruled(made, config, steps), config)


def _ruled(made: AbstractOptimizer, config: Config, steps: int) -> AbstractOptimizer:
    """Return the optimizer with scaling, clipping and accumulation around it."""
    rules: list[AbstractGradientRule] = []
    if config["loss_scale_factor"] is not None:
        rules.append(db.ScaleGradients(1.0 / config["loss_scale_factor"]))
    rules += [rule(config[n]) for n, rule in CLIPPING.items() if config[n] is not None]
    made = db.WithGradientRules(made, rules) if rules else made
    return db.GradientAccumulation(made, steps) if steps > 1 else made


def _averaged(made: AbstractOptimizer, config: Config) -> AbstractOptimizer:
    if not config["use_ema"]:
        return made
    raise SpecError("use_ema is not known yet", where="from_native")


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

"""The spec of each optimizer class of `mindspore.nn`, and warnings about its errors."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from dnnbridge.backend import (
    AbstractOptimizer,
    AbstractSchedule,
    NativeDifferenceWarning,
    SpecError,
    optimizers,
)

Arguments = Mapping[str, Any]
Rate = float | AbstractSchedule


def warn(message: str) -> None:
    """Warn about a difference between a class and its documentation."""
    warnings.warn(f"mindspore.nn.{message}", NativeDifferenceWarning, stacklevel=2)


def _sgd(rate: Rate, a: Arguments) -> AbstractOptimizer:
    if a["dampening"] and a["momentum"] == 0.0:
        warn("SGD ignores dampening if momentum is 0; so does the spec.")
    given = {name: a[name] for name in ("momentum", "dampening", "nesterov")}
    return optimizers.SGD.mindspore(rate, **given)


def _momentum(rate: Rate, a: Arguments) -> AbstractOptimizer:
    nesterov = a["use_nesterov"]
    if nesterov:
        warn(
            "Momentum(use_nesterov=True) ignores the flag on a CPU; the spec uses Nesterov "
            "momentum, as documented."
        )
    return optimizers.SGD.mindspore(rate, a["momentum"], nesterov=nesterov)


def _rmsprop(rate: Rate, a: Arguments) -> AbstractOptimizer:
    if not a["centered"]:
        warn(
            "RMSProp adds epsilon outside the root on a CPU, except for the last few elements of "
            "a tensor; the spec always adds it inside, as documented."
        )
    given = {name: a[name] for name in ("decay", "momentum", "epsilon", "centered")}
    return optimizers.RMSprop.mindspore(rate, **given)


def _adagrad(rate: Rate, a: Arguments) -> AbstractOptimizer:
    if not a["update_slots"]:
        raise SpecError(
            "dnnbridge's Adagrad always accumulates the squares",
            where="mindspore.nn.Adagrad.update_slots",
            got="False",
            hint="With constant accumulators it is SGD with a learning rate per weight.",
        )
    return optimizers.Adagrad.mindspore(rate, a["accum"])


def _adam(rate: Rate, a: Arguments) -> AbstractOptimizer:
    names = ("beta1", "beta2", "eps", "use_nesterov", "use_amsgrad")
    if a.get("use_lazy", "use_amsgrad" not in a):
        warn(
            "LazyAdam is lazy only for nn.EmbeddingLookup(sparse=True); the spec is lazy for "
            "every table of an Embedding. lazy=() makes it Adam."
        )
        return optimizers.LazyAdam.mindspore(rate, **{name: a[name] for name in names[:4]})
    return optimizers.Adam.mindspore(rate, **{name: a[name] for name in names if name in a})


def _ftrl(rate: Rate, a: Arguments) -> AbstractOptimizer:
    if a["l1"]:
        warn("FTRL is wrong if l1 > 0 and z is negative; the spec is as documented.")
    given = {name: a[name] for name in ("initial_accum", "lr_power", "l1", "l2")}
    return optimizers.Ftrl.mindspore(rate, **given)


def _adafactor(rate: Rate, a: Arguments) -> AbstractOptimizer:
    if a["weight_decay"]:
        raise SpecError(
            "the native class decays weights in its kernel, after the update",
            where="mindspore.nn.AdaFactor.weight_decay",
            got=repr(a["weight_decay"]),
            hint="Make it with 0, and give the spec a DecoupledWeightDecay, which runs before it.",
        )
    names = ("eps", "clip_threshold", "decay_rate", "beta1", "scale_parameter", "warmup_init")
    given = {name: a[name] for name in names}
    return optimizers.Adafactor.mindspore(None if a["relative_step"] else rate, **given)


def _lamb(rate: Rate, a: Arguments) -> AbstractOptimizer:
    warn("Lamb has no kernel for a CPU; the spec computes the documented equation.")
    if a["weight_decay"]:
        warn("Lamb does not decay weights named beta or gamma; the spec decays all weights.")
    names = ("beta1", "beta2", "eps", "weight_decay")
    return optimizers.Lamb.mindspore(rate, **{name: a[name] for name in names})


def rprop(rate: Rate, a: Arguments) -> AbstractOptimizer:
    """Return Rprop; its learning rate is the size of the first step."""
    if not isinstance(rate, float):
        raise SpecError(
            "the first step size must be a number",
            where="Rprop.learning_rate",
            got=type(rate).__name__,
            hint="Make the optimizer with the first rate of the schedule.",
        )
    return optimizers.Rprop.mindspore(rate, tuple(a["etas"]), tuple(a["step_sizes"]))


def _lars(rate: Rate, a: Arguments) -> AbstractOptimizer:
    given = ", ".join(f"{name}={a[name]}" for name in ("epsilon", "coefficient", "use_clip"))
    raise SpecError(
        "cannot be converted: it wraps another optimizer and has no kernel for a CPU",
        where="mindspore.nn.LARS",
        hint=f"Write LARS.mindspore(learning_rate, momentum, {given}), and ParameterGroups for the "
        "weights that its lars_filter excludes.",
    )


OPTIMIZERS: dict[str, Callable[[Rate, Arguments], AbstractOptimizer]] = {
    "ASGD": lambda rate, a: optimizers.ASGD.mindspore(rate, a["lambd"], a["alpha"], a["t0"]),
    "AdaFactor": _adafactor,
    "AdaMax": lambda rate, a: optimizers.Adamax.mindspore(rate, a["beta1"], a["beta2"], a["eps"]),
    "Adadelta": lambda rate, a: optimizers.Adadelta.mindspore(rate, a["rho"], a["epsilon"]),
    "Adagrad": _adagrad,
    "Adam": _adam,
    "AdamOffload": lambda rate, a: optimizers.Adam.mindspore(
        rate, a["beta1"], a["beta2"], a["eps"]
    ),
    "AdamWeightDecay": lambda rate, a: optimizers.AdamW.mindspore(
        rate, a["beta1"], a["beta2"], a["eps"]
    ),
    "FTRL": _ftrl,
    "LARS": _lars,
    "Lamb": _lamb,
    "LazyAdam": _adam,
    "Momentum": _momentum,
    "ProximalAdagrad": lambda rate, a: optimizers.ProximalAdagrad.mindspore(
        rate, a["accum"], a["l1"], a["l2"]
    ),
    "RMSProp": _rmsprop,
    "Rprop": rprop,
    "SGD": _sgd,
}
"""Returns the spec of each class, without weight decay, from a rate and the class's arguments."""

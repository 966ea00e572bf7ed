"""Convert optimizers of `mindspore.experimental.optim` and `mindspore.mint.optim` to specs.

Their public `param_groups` hold all numbers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import dnnbridge as db
from dnnbridge.backend import (
    AbstractOptimizer,
    AbstractSchedule,
    NativeDifferenceWarning,
    NativeOptions,
    SpecError,
    optimizers,
)
from dnnbridge_mindspore.native_classes import rprop
from dnnbridge_mindspore.native_rates import our_name, schedule

Group = Mapping[str, Any]
Rate = float | AbstractSchedule


def _moments(g: Group) -> dict[str, Any]:
    """Return the arguments that Adam and its variants share."""
    first, second = g["betas"]
    return {"beta_1": float(first), "beta_2": float(second), "epsilon": float(g["eps"])}


def _sgd(rate: Rate, g: Group) -> AbstractOptimizer:
    momentum, dampening = float(g["momentum"]), float(g["dampening"])
    if dampening and momentum == 0.0:
        _warn("SGD ignores dampening if momentum is 0; so does the spec.")
    return optimizers.SGD.mindspore(rate, momentum, dampening, nesterov=g["nesterov"])


def _adam(rate: Rate, g: Group) -> AbstractOptimizer:
    if g["amsgrad"]:
        _warn("Adam ignores amsgrad; the spec divides by the largest v so far, as documented.")
    return optimizers.Adam(rate, **_moments(g), amsgrad=g["amsgrad"])


def _adagrad(rate: Rate, g: Group) -> AbstractOptimizer:
    if g["lr_decay"]:
        assert isinstance(rate, float)
        rate = db.InverseTimeDecay(rate, 1, float(g["lr_decay"]))
    start = float(g["initial_accumulator_value"])
    return optimizers.Adagrad(rate, start, g["eps"], epsilon_inside=False)


def _adamax(rate: Rate, g: Group) -> AbstractOptimizer:
    _warn("Adamax uses max(β₂ u, |g| + ε); the spec uses max(β₂ u, |g|) + ε, like nn.AdaMax.")
    return optimizers.Adamax(rate, **_moments(g))


def _rmsprop(rate: Rate, g: Group) -> AbstractOptimizer:
    if g["momentum"]:
        _warn(
            "RMSprop multiplies the momentum by the current rate; the spec uses the rate of each "
            "gradient's step. They differ if the rate changes."
        )
    return optimizers.RMSprop(
        rate,
        rho=g["alpha"],
        momentum=float(g["momentum"]),
        epsilon=g["eps"],
        centered=g["centered"],
        epsilon_inside=False,
    )


EXPERIMENTAL: dict[str, Callable[[Rate, Group], AbstractOptimizer]] = {
    "ASGD": lambda rate, g: optimizers.ASGD(rate, g["lambd"], g["alpha"], g["t0"]),
    "Adadelta": lambda rate, g: optimizers.Adadelta(rate, g["rho"], g["eps"]),
    "Adagrad": _adagrad,
    "Adam": _adam,
    "AdamW": lambda rate, g: optimizers.AdamW(
        rate, **_moments(g), epsilon_hat=False, amsgrad=g["amsgrad"]
    ),
    "Adamax": _adamax,
    "NAdam": lambda rate, g: optimizers.Nadam(
        rate, **_moments(g), momentum_decay=g["momentum_decay"]
    ),
    "RMSprop": _rmsprop,
    "Rprop": rprop,
    "SGD": _sgd,
}
"""Returns the spec of each class, without weight decay, from a rate and a group."""

MINT: dict[str, Callable[[Rate, Group], AbstractOptimizer]] = {
    "Adam": lambda rate, g: optimizers.Adam(
        rate, **_moments(g), epsilon_hat=False, amsgrad=g["amsgrad"]
    ),
    "AdamW": EXPERIMENTAL["AdamW"],
    "SGD": _sgd,
}


def read_experimental(optimizer: Any, options: NativeOptions) -> AbstractOptimizer | None:
    """Return the spec of one of these optimizers, or None if its class is not known."""
    kind, mint = type(optimizer).__name__, "mint" in type(optimizer).__module__
    table = MINT if mint else EXPERIMENTAL
    if kind not in table:
        return None
    if mint:
        _warn("no weight changes on a CPU, as in-place operations do nothing.", "mint.optim: ")
    made = []
    for group in optimizer.param_groups:
        if group.get("maximize", False):
            raise SpecError(
                "dnnbridge optimizers only minimize",
                where="from_native",
                got=f"{kind}(maximize=True)",
                hint="Negate the loss.",
            )
        spec = table[kind](schedule(group["lr"], options), group)
        made.append(spec.replace(weight_decay=_decay(kind, group, options)))
    if len(made) == 1:
        return made[0]
    names = options.names or our_name
    return optimizers.ParameterGroups(
        tuple(
            (names(parameter.name), spec)
            for spec, group in zip(made, optimizer.param_groups, strict=True)
            for parameter in group["params"]
        )
    )


def _decay(kind: str, group: Group, options: NativeOptions) -> Any:
    rate = float(group["weight_decay"])
    if not rate:
        return None
    decay = db.DecoupledWeightDecay if kind == "AdamW" else db.CoupledWeightDecay
    return decay(rate, options.exempt)


def _warn(message: str, where: str = "experimental.optim.") -> None:
    warnings.warn(f"mindspore.{where}{message}", NativeDifferenceWarning, stacklevel=2)

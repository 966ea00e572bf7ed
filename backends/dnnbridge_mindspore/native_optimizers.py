"""Convert `mindspore.nn` optimizers to specs, using their public attributes.

`init_args`, `init_learning_rate` and `init_params` hold the arguments of the constructor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dnnbridge as db
from dnnbridge.backend import (
    MINDSPORE_EXEMPT,
    AbstractOptimizer,
    NativeOptions,
    SpecError,
    mindspore_decay,
    optimizers,
    shortest,
)
from dnnbridge_mindspore.native_classes import OPTIMIZERS, Arguments, Rate, warn
from dnnbridge_mindspore.native_experimental import read_experimental
from dnnbridge_mindspore.native_rates import current, our_name, schedule

DECOUPLED = {"AdamWeightDecay"}
"""Classes that decay weights, not gradients."""

WITHIN = {"AdaFactor", "Lamb"}
"""Classes whose equation includes the weight decay."""

DECAYS_ALL = {"FTRL"}
"""Classes that decay all weights."""


def read(optimizer: Any, options: NativeOptions) -> AbstractOptimizer | None:
    """Return the spec of a MindSpore optimizer, or None; implements `dnnbridge_from_native`."""
    kind, module = type(optimizer).__name__, type(optimizer).__module__
    if module.startswith(("mindspore.experimental.optim.", "mindspore.mint.optim.")):
        return read_experimental(optimizer, options)
    if not module.startswith("mindspore.nn.") or kind not in OPTIMIZERS:
        return None
    arguments = _arguments(optimizer)
    groups = optimizer.is_group

    def make(rate: Rate, decay: Any) -> AbstractOptimizer:
        made = OPTIMIZERS[kind](rate, {**arguments, "weight_decay": decay})
        if kind in WITHIN:
            return made
        exempt = () if groups or kind in DECAYS_ALL else MINDSPORE_EXEMPT
        decays = _decay(schedule(decay, options), (*exempt, *options.exempt), kind in DECOUPLED)
        return made.replace(weight_decay=decays)

    made = (
        _grouped(optimizer, arguments, options, make)
        if groups
        else make(_rate(optimizer, options), arguments.get("weight_decay", 0.0))
    )
    scale = arguments.get("loss_scale", 1.0)
    return made if scale == 1.0 else db.WithGradientRules(made, db.ScaleGradients(1.0 / scale))


def _arguments(optimizer: Any) -> dict[str, Any]:
    """Return the arguments of the constructor, with their current values if they have changed."""
    if hasattr(optimizer, "init_args"):
        given = dict(optimizer.init_args)
        return given | {n: current(getattr(optimizer, n, None), given[n]) for n in given}
    # AdamWeightDecay and AdamOffload keep only float32 numbers.
    found = {
        name: shortest(float(getattr(optimizer, name).asnumpy().item()))
        for name in ("beta1", "beta2", "eps")
    }
    decay = optimizer.weight_decay
    if optimizer.is_group or not optimizer.dynamic_weight_decay:
        number = 0.0 if optimizer.is_group else shortest(float(decay.asnumpy()))
        return found | {"weight_decay": number}
    raise SpecError(
        "the schedule of its weight decay is private and cannot be read",
        where=f"mindspore.nn.{type(optimizer).__name__}",
        hint="Make it with a number, and set the schedule of the spec: "
        "spec.replace(weight_decay=DecoupledWeightDecay(…)).",
    )


def _rate(optimizer: Any, options: NativeOptions) -> Rate:
    given = getattr(optimizer, "init_learning_rate", None)
    held = optimizer.learning_rate
    return schedule(held if given is None else current(held, given), options)


def _grouped(
    optimizer: Any, arguments: Arguments, options: NativeOptions, make: Callable[..., Any]
) -> AbstractOptimizer:
    """Return `ParameterGroups` with the spec of each weight by name."""
    names, groups, constant = options.names or our_name, [], set()
    default = arguments["weight_decay"]
    rates = {p.name: rate for p, rate in zip(optimizer.parameters, optimizer.group_lr, strict=True)}
    given_rate = getattr(optimizer, "init_learning_rate", None)
    for group in _given_groups(optimizer):
        first = rates[group["params"][0].name]
        given = group.get("lr", first if given_rate is None else given_rate)
        rate = schedule(current(first, given), options)
        constant.add(isinstance(rate, float))
        made = make(rate, group.get("weight_decay", default))
        if group.get("grad_centralization", False):
            warn("grad_centralization does not run on a CPU; the spec uses CentralizeGradients.")
            made = db.WithGradientRules(made, db.CentralizeGradients())
        groups += [(names(parameter.name), made) for parameter in group["params"]]
    if len(constant) == 2:
        warn(
            "if other groups have a schedule, a constant rate is computed as lr + 1 - 1 in float32 "
            "(1e-4 becomes 1.000166e-4); the spec uses the given rates."
        )
    return optimizers.ParameterGroups(tuple(groups))


def _given_groups(optimizer: Any) -> list[dict[str, Any]]:
    if hasattr(optimizer, "init_params"):
        return [group for group in optimizer.init_params["params"] if "params" in group]
    # AdamWeightDecay does not keep groups, only the rate and decay of each weight.
    return [
        {"params": [p], "lr": lr, "weight_decay": shortest(float(decay.asnumpy()))}
        for p, lr, decay in zip(
            optimizer.parameters, optimizer.group_lr, optimizer.weight_decay, strict=True
        )
    ]


def _decay(rate: Rate, exempt: tuple[str, ...], decoupled: bool) -> Any:
    if decoupled:
        return db.DecoupledWeightDecay(rate, exempt) if rate != 0.0 else None
    return mindspore_decay(rate, exempt)

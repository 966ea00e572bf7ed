"""Write optimizers as calls of Keras and MindSpore."""

from __future__ import annotations

from typing import Any

from dnnbridge import optimizers
from dnnbridge.doctor.native_code import Name, call
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.schedules import AbstractSchedule, ConstantSchedule
from dnnbridge.specs.field_types import default_of, infos_of

EXPORTED = "run.export('train.py', 'python-mindspore')  # its class Optimizer has this update"
"""The remedy for an update that no class of MindSpore has."""

MOMENTS = {"beta1": "beta_1", "beta2": "beta_2", "eps": "epsilon"}

MINDSPORE: dict[type[AbstractOptimizer], tuple[str, dict[str, str]]] = {
    optimizers.SGD: ("nn.SGD", {"momentum": "momentum", "nesterov": "nesterov"}),
    optimizers.Adam: ("nn.Adam", {**MOMENTS, "use_amsgrad": "amsgrad"}),
    optimizers.AdamW: ("nn.Adam", {**MOMENTS, "use_amsgrad": "amsgrad"}),
    optimizers.Adadelta: ("nn.Adadelta", {"rho": "rho", "epsilon": "epsilon"}),
    optimizers.RMSprop: (
        "nn.RMSProp",
        {"decay": "rho", "momentum": "momentum", "epsilon": "epsilon", "centered": "centered"},
    ),
    optimizers.Adamax: ("nn.AdaMax", MOMENTS),
    optimizers.Adagrad: ("nn.Adagrad", {"accum": "initial_accumulator_value"}),
    optimizers.Ftrl: (
        "nn.FTRL",
        {
            "initial_accum": "initial_accumulator_value",
            "l1": "l1_regularization_strength",
            "l2": "l2_regularization_strength",
            "lr_power": "learning_rate_power",
        },
    ),
}
"""The class of MindSpore for a class here, and the arguments here by those there."""

KERAS_ARGUMENTS = (
    *("momentum", "nesterov", "rho", "beta_1", "beta_2", "epsilon", "centered", "amsgrad"),
    *("initial_accumulator_value", "l1_regularization_strength", "l2_regularization_strength"),
    *("learning_rate_power",),
)
"""Arguments that have the same name in Keras and here."""


def rate(schedule: AbstractSchedule | float) -> Any:
    """Return a constant rate, or a name for a schedule."""
    if isinstance(schedule, ConstantSchedule):
        return schedule.value
    return Name("schedule") if isinstance(schedule, AbstractSchedule) else schedule


def present(schedule: AbstractSchedule | float) -> str:
    """Return the rate of a step as code: a number, or a name where it changes."""
    found = rate(schedule)
    return "rate" if isinstance(found, Name) else repr(found)


def decayed(step: str, factor: Any, exempt: bool = False) -> str:
    """Return a decoupled weight decay as lines of MindSpore.

    Args:
        step: the rate of a step as code.
        factor: the rate of the decay.
        exempt: whether some weights do not decay.
    """
    of = (
        "decaying:  # the parameters that are not exempt," if exempt else "optimizer.parameters:  #"
    )
    return f"for p in {of} before each step\n    ops.assign(p, p * (1 - {step} * {factor!r}))"


def in_mindspore(spec: AbstractOptimizer) -> str:
    """Return the call of MindSpore's class with the arguments of an optimizer.

    Example:
        >>> in_mindspore(optimizers.Adam(0.01))
        'nn.Adam(params, learning_rate=0.01, eps=1e-07)'
    """
    name, arguments = MINDSPORE[type(spec)]
    return call(
        name,
        Name("params"),
        learning_rate=rate(_get(spec, "learning_rate")),
        **_stated(spec, arguments),
    )


def in_keras(spec: AbstractOptimizer, **more: Any) -> str:
    """Return the call of Keras' class with the arguments of an optimizer.

    Example:
        >>> in_keras(optimizers.Adam(0.01))
        'keras.optimizers.Adam(0.01, epsilon=1e-07)'
    """
    names = {name: name for name in KERAS_ARGUMENTS if name in infos_of(type(spec))}
    given = rate(_get(spec, "learning_rate"))
    return call(f"keras.optimizers.{type(spec).__name__}", given, **_stated(spec, names), **more)


SHOWN = {"epsilon", "rho", "initial_accumulator_value"}
"""Arguments that are written even if they have Keras' default, because defaults differ."""


def _stated(spec: AbstractOptimizer, arguments: dict[str, str]) -> dict[str, Any]:
    """Return the arguments that differ from their default here, and those of `SHOWN`."""
    found: dict[str, Any] = {}
    cls: Any = type(spec)
    for there, here in arguments.items():
        value = rate(_get(spec, here))
        default = rate(default_of(cls, here))
        if here in SHOWN or value != default:
            found[there] = value
    return found


def _get(spec: AbstractOptimizer, name: str) -> Any:
    return getattr(spec, name)

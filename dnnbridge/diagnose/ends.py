"""Where activations are dead and where they are saturated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dnnbridge.activations import (
    CELU,
    ELU,
    SELU,
    AbstractActivation,
    Exponential,
    HardSigmoid,
    HardSwish,
    HardTanh,
    Linear,
    ReLU,
    ReLU6,
    Sigmoid,
    Softplus,
    Softsign,
    SparsePlus,
    SparseSigmoid,
    SquarePlus,
    Tanh,
    Threshold,
)
from dnnbridge.base.arrays import Array
from dnnbridge.graph import Call, Node

SATURATED_TANH = 0.97
"""From here on |tanh x| is saturated: its derivative 1 - y² is below 0.06."""

SATURATED_SIGMOID = 0.02
"""So close to 0 or 1 a sigmoid is saturated: its derivative y (1 - y) is below 0.02."""

NEAR_FLOOR = 1e-3
"""So close to its limit on the left a smooth activation such as ELU is dead."""

SELU_FLOOR = -1.0507009873554805 * 1.6732632423543772


def activation_of(node: Node) -> AbstractActivation | None:
    """Return the activation that makes the output of a layer, if one does."""
    body = node.body
    if body is None:
        return None
    made = next((n for n in reversed(body.nodes) if body.outputs[0] in n.outputs), None)
    if made is None or not isinstance(made.op, Call):
        return None
    if isinstance(made.op.spec, AbstractActivation):
        return None if isinstance(made.op.spec, Linear) else made.op.spec
    return activation_of(made)


def floor_of(activation: AbstractActivation | None) -> tuple[float, float] | None:
    """Return the limit of an activation on the left and how close to it a unit is dead.

    None if there is no such limit, or if other numbers give the same output, as with GELU.

    Example:
        >>> floor_of(ReLU()), floor_of(ELU(alpha=2.0)), floor_of(Tanh())
        ((0.0, 0.0), (-2.0, 0.001), None)
    """
    match activation:
        case ReLU(negative_slope=0.0) | ReLU6() | HardSwish() | SparsePlus():
            return 0.0, 0.0
        case Threshold():
            return activation.default_value, 0.0
        case ELU() | CELU():
            return -activation.alpha, NEAR_FLOOR
        case SELU():
            return SELU_FLOOR, NEAR_FLOOR
        case Softplus() | SquarePlus() | Exponential():
            return 0.0, NEAR_FLOOR
    return None


def dead_units(y: Array, activation: AbstractActivation | None, axis: int = -1) -> Array | None:
    """Return whether each unit is at that limit for every example and place.

    Args:
        y: outputs, with the examples first.
        activation: what made them.
        axis: the axis of the units; all others are examples and places.

    Example:
        >>> dead_units(np.array([[0.0, 0.0], [0.0, 2.0]]), ReLU()).tolist()
        [True, False]
    """
    floor = floor_of(activation)
    if floor is None:
        return None
    units = np.moveaxis(y, axis, -1).reshape(-1, y.shape[axis]) if y.ndim > 1 else y[:, None]
    found: Array = (np.abs(units - floor[0]) <= floor[1]).all(axis=0)
    return found


def saturated(y: Array, activation: AbstractActivation | None) -> Array | None:
    """Return whether each output is where the derivative almost vanishes at both ends.

    Example:
        >>> saturated(np.array([0.5, -0.98]), Tanh()).tolist()
        [False, True]
    """
    test = _ends(activation)
    return None if test is None else test(y)


def _ends(activation: AbstractActivation | None) -> Callable[[Array], Array] | None:
    match activation:
        case Tanh() | Softsign():
            return lambda y: np.abs(y) > SATURATED_TANH
        case Sigmoid():
            return lambda y: (y < SATURATED_SIGMOID) | (y > 1.0 - SATURATED_SIGMOID)
        case HardTanh():
            return lambda y: np.abs(y) >= 1.0
        case HardSigmoid() | SparseSigmoid():
            return lambda y: (y <= 0.0) | (y >= 1.0)
    return None

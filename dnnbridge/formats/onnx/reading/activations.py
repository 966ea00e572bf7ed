"""Activations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from dnnbridge import activations as here
from dnnbridge import layers
from dnnbridge.activations import AbstractActivation
from dnnbridge.formats.onnx.reading.arithmetic import with_number
from dnnbridge.formats.onnx.reading.call import Call
from dnnbridge.formats.onnx.reading.values import Tensor

Rule = Callable[[Call], Tensor]


def plain(made: Callable[[Call], AbstractActivation]) -> Rule:
    return lambda call: call.layer(layers.Activation(made(call)), call.tensor())


def number(call: Call, name: str, default: float) -> float:
    """Return an attribute that is a number."""
    return digits(call.get(name, default))


def digits(value: Any) -> float:
    """Return one number with the digits of a float32, so that 0.2 stays 0.2."""
    return float(str(np.float32(np.asarray(value).reshape(()))))


def selu(call: Call) -> Tensor:
    alpha, gamma = number(call, "alpha", 1.6732632), number(call, "gamma", 1.050701)
    same = math.isclose(alpha, 1.6732632, rel_tol=1e-6) and math.isclose(
        gamma, 1.050701, rel_tol=1e-6
    )
    call.require(same, f"alpha={alpha}, gamma={gamma}")
    return call.layer(layers.Activation(here.SELU()), call.tensor())


def along_axis(made: type[here.Softmax] | type[here.LogSoftmax]) -> Rule:
    def rule(call: Call) -> Tensor:
        x = call.tensor()
        axis = call.axis(-1 if call.opset >= 13 else 1, x.rank)
        call.require(axis > 0, "axis=0, the batch")
        # Before opset 13 the sum goes over this axis and all after it.
        alone = call.opset >= 13 or math.prod(x.shape[axis:]) == 1
        call.require(alone, f"axis={axis} of rank {x.rank} in opset {call.opset}")
        found = made(-1 if axis == x.rank - 1 else axis)
        return call.layer(layers.Activation(found), x)

    return rule


def clip(call: Call) -> Tensor:
    x = call.tensor()
    bounds = [call.constant(index, name) for index, name in ((1, "min"), (2, "max"))]
    least, most = (
        default if each is None else digits(each)
        for each, default in zip(bounds, (-math.inf, math.inf), strict=True)
    )
    limit = float(np.finfo(np.float32).max)
    if found := _clipping(least, most, limit):
        return call.layer(layers.Activation(found), x)
    if least > -limit:
        x = with_number(call, "maximum", x, least, False)
    return with_number(call, "minimum", x, most, False) if most < limit else x


def _clipping(least: float, most: float, limit: float) -> AbstractActivation | None:
    """Return the activation with these bounds, if there is one."""
    if (least, most) == (-1.0, 1.0):
        return here.HardTanh()
    if least != 0.0 or most < 0.0:
        return None
    if most >= limit:
        return here.ReLU()
    return here.ReLU6() if most == 6.0 else here.ReLU(max_value=most)


def hard(alpha: float, beta: float) -> AbstractActivation | None:
    """Return the activation that is a HardSigmoid with these numbers, if there is one."""
    if math.isclose(alpha, 1 / 6, rel_tol=1e-6) and beta == 0.5:
        return here.HardSigmoid()
    return here.SparseSigmoid() if alpha == beta == 0.5 else None


def hard_sigmoid(call: Call) -> Tensor:
    x = call.tensor()
    alpha, beta = number(call, "alpha", 0.2), number(call, "beta", 0.5)
    if found := hard(alpha, beta):
        return call.layer(layers.Activation(found), x)
    line = with_number(call, "add", with_number(call, "multiply", x, alpha, False), beta, False)
    return with_number(call, "minimum", with_number(call, "maximum", line, 0.0, False), 1.0, False)


def shrink(call: Call) -> Tensor:
    bound, bias = number(call, "lambd", 0.5), number(call, "bias", 0.0)
    call.require(bias in (0.0, bound), f"lambd={bound}, bias={bias}")
    found = here.SoftShrink(bound) if bias else here.HardShrink(bound)
    return call.layer(layers.Activation(found), call.tensor())


def thresholded_relu(call: Call) -> Tensor:
    return thresholded(call, call.tensor(), number(call, "alpha", 1.0), 0.0)


def thresholded(call: Call, x: Tensor, bound: float, other: float) -> Tensor:
    """Return x where it is greater than a number, and another number elsewhere."""
    found: AbstractActivation = here.Threshold(bound, other)
    if other == 0.0 and bound >= 0.0:
        found = here.ReLU(threshold=bound) if bound else here.ReLU()
    return call.layer(layers.Activation(found), x)


def prelu(call: Call) -> Tensor:
    x, source = call.tensor(), call.weight(1)
    slope, shape = source.fixed, tuple[int, ...]()
    call.require(slope.ndim <= x.rank, f"slopes of shape {slope.shape}")
    if slope.size == 1:
        made, shape = here.PReLU(shared=True), (1,)
    else:
        shape = ((1,) * (x.rank - slope.ndim) + slope.shape)[1:]
        shared = tuple(i for i, n in enumerate(shape, 1) if n == 1)
        made = here.PReLU(shared_axes=shared or None)
    weights = {"slope": slope.reshape(shape)}
    return call.layer(layers.Activation(made), x, weights=weights, sources=(source,))

"""Comparisons, logic and choices. What is true is 1 here, and what is false is 0, in float32."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from dnnbridge import layers
from dnnbridge.formats.onnx.reading.activations import digits, thresholded
from dnnbridge.formats.onnx.reading.along_axis import array_beside
from dnnbridge.formats.onnx.reading.arithmetic import of_two
from dnnbridge.formats.onnx.reading.call import Call
from dnnbridge.formats.onnx.reading.values import CannotReadError, Known, Tensor, Value, known

TURNED = {"greater": "less", "greater_equal": "less_equal", "equal": "equal"}
TURNED |= {after: before for before, after in TURNED.items()}
"""Each comparison with its operands exchanged."""


def compared(operation: Any) -> Callable[[Call], Tensor]:
    """Return the rule of a comparison."""

    def rule(call: Call) -> Tensor:
        a, b = call.inputs
        if isinstance(a, Tensor) and isinstance(b, Tensor):
            call.require(a.rank == b.rank, f"tensors of rank {a.rank} and {b.rank}")
            return call.layer(layers.Compare(operation), a, b)
        first = isinstance(a, Known)
        x, given = call.tensor(int(first)), call.weight(1 - int(first))
        name: Any = TURNED[operation] if first else operation
        if given.fixed.size == 1 and given.fixed.ndim <= x.rank:
            return call.layer(layers.Compare(name, _number(given)), x)
        apart = of_two("subtract")(replace(call, inputs=[x, known(given.fixed)]))
        return call.layer(layers.Compare(name, 0.0), apart)

    return rule


def connected(operation: Any) -> Callable[[Call], Tensor]:
    """Return the rule of a connective of two values."""

    def rule(call: Call) -> Tensor:
        given = [x for x in call.inputs if isinstance(x, Tensor)]
        a, b = (_as_tensor(call, x, given[0]) for x in call.inputs)
        call.require(a.rank == b.rank, f"tensors of rank {a.rank} and {b.rank}")
        return call.layer(layers.Logical(operation), a, b)

    return rule


def negated(call: Call) -> Tensor:
    return call.layer(layers.Logical("not"), call.tensor())


def truth(call: Call, x: Tensor) -> Tensor:
    """Return whether each element is not 0."""
    said = isinstance(getattr(x.symbol, "layer", None), layers.Compare | layers.Logical)
    return x if said else call.layer(layers.Compare("not_equal", 0.0), x)


def where(call: Call) -> Tensor:
    condition, *operands = call.inputs
    tensors = [x for x in call.inputs if isinstance(x, Tensor)]
    like = max(tensors, key=lambda x: (x.rank, x.shape))
    if (found := _threshold(condition, *operands)) is not None:
        return thresholded(call, call.tensor(1), *found)
    dtypes = {x.dtype for x in operands if isinstance(x, Tensor)}
    call.require(dtypes <= {"float32"}, f"operands of dtype {', '.join(sorted(dtypes))}")
    numbers = [_uniform(x, like) for x in operands]
    given = [
        _as_tensor(call, x, like)
        for x, number in zip(operands, numbers, strict=True)
        if number is None
    ]
    holds = _as_tensor(call, condition, like)
    ranks = {x.rank for x in (holds, *given)}
    call.require(len(ranks) == 1, f"tensors of ranks {sorted(ranks)}")
    return call.layer(layers.Where(*numbers), holds, *given)


def _threshold(condition: Value, x: Value, other: Value) -> tuple[float, float] | None:
    """Return the bound and the other number of a choice of x where it is greater than a bound."""
    if not (isinstance(condition, Tensor) and isinstance(x, Tensor) and isinstance(other, Known)):
        return None
    symbol = condition.symbol
    compare = getattr(symbol, "layer", None)
    if not (isinstance(compare, layers.Compare) and symbol.inputs[0] is x.symbol):
        return None
    if compare.operation != "greater" or compare.number is None or other.fixed.size != 1:
        return None
    return digits(compare.number), digits(_number(other))


def _number(given: Known) -> float:
    """Return a number; an infinity becomes the largest float32."""
    limit = float(np.finfo(np.float32).max)
    return float(np.clip(given.fixed.ravel()[0], -limit, limit))


def _uniform(value: Value, like: Tensor) -> float | None:
    """Return the number that an array has everywhere, if it does not make the result larger."""
    if not isinstance(value, Known) or value.fixed.size == 0 or value.fixed.ndim > like.rank:
        return None
    array = value.fixed
    shape = (1,) * (like.rank - array.ndim) + array.shape
    fits = all(n in (1, size) for n, size in zip(shape, (1, *like.shape), strict=True))
    return _number(value) if fits and (array == array.flat[0]).all() else None


def _as_tensor(call: Call, value: Value, like: Tensor) -> Tensor:
    """Return an array as a tensor beside another one."""
    if isinstance(value, Tensor):
        return value
    if not isinstance(value, Known):
        raise CannotReadError("no tensor")
    call.require(like.rank > 1, "an array and one number per example")
    array = value.fixed.astype(np.float32)
    call.require(array.ndim <= like.rank, f"an array of shape {array.shape}")
    whole = array.reshape((1,) * (like.rank - array.ndim) + array.shape)
    name = value.name if value.fixed.dtype.kind == "f" else ""
    return array_beside(call, like, 1, known(whole, name))

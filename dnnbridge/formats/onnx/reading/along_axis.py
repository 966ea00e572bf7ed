"""Linear maps along one axis, by a matrix that is not trained."""

from __future__ import annotations

import numpy as np

from dnnbridge import layers
from dnnbridge.base.arrays import Array
from dnnbridge.formats.onnx.reading.call import Call
from dnnbridge.formats.onnx.reading.values import Known, Tensor

LETTERS = "abcdefgh"


def times_matrix(call: Call, x: Tensor, axis: int, matrix: Array) -> Tensor:
    """Return x with its elements along an axis times a matrix, (before, after)."""
    equation, shape = _equation(call, x, axis, matrix.shape[1])
    made = layers.EinsumDense(equation, shape)
    return call.layer(made, x, weights={"kernel": matrix}, frozen=("kernel",))


def chosen(call: Call, x: Tensor, axis: int, places: Array) -> Tensor:
    """Return the elements at these places of an axis."""
    return times_matrix(call, x, axis, np.eye(x.shape[axis - 1])[:, places])


def array_beside(call: Call, x: Tensor, axis: int, source: Known) -> Tensor:
    """Return an array as a tensor whose sizes are those of x but for one axis.

    It is the bias of a layer on x, whose kernel is 0 and is not trained.
    """
    array = source.fixed
    call.require(x.dtype == "float32", f"an array beside a tensor of {x.dtype}")
    call.require(array.ndim == x.rank and array.shape[0] == 1, f"an array of shape {array.shape}")
    equation, shape = _equation(call, x, axis, array.shape[axis])
    fits = all(n in (1, size) for n, size in zip(array.shape[1:], shape, strict=True))
    call.require(fits, f"an array of shape {array.shape} beside {x.shape}")
    made = layers.EinsumDense(equation, shape, bias_axes=equation.split("->")[1][1:])
    zeros = np.zeros((x.shape[axis - 1], array.shape[axis]))
    weights = {"kernel": zeros, "bias": np.broadcast_to(array[0], shape)}
    fixed = ("kernel",) if source.name else ("kernel", "bias")
    return call.layer(made, x, weights=weights, sources=(source,), frozen=fixed)


def _equation(call: Call, x: Tensor, axis: int, size: int) -> tuple[str, tuple[int, ...]]:
    """Return the equation for another size of an axis, and the shape of its result."""
    call.require(0 < axis < x.rank <= len(LETTERS), f"axis {axis} of rank {x.rank}")
    given = LETTERS[: x.rank]
    made = given.replace(given[axis], "z")
    shape = (*x.shape[: axis - 1], size, *x.shape[axis:])
    return f"{given},{given[axis]}z->{made}", shape

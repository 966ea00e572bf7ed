"""Arithmetic of tensors with each other, with numbers and with arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dnnbridge import layers
from dnnbridge.base.arrays import Array
from dnnbridge.formats.onnx.reading.call import Call
from dnnbridge.formats.onnx.reading.values import CannotReadError, Known, Tensor

LETTERS = "abcdefgh"

MERGES: dict[str, Callable[[], layers.AbstractLayer]] = {
    "add": layers.Add,
    "subtract": layers.Subtract,
    "multiply": layers.Multiply,
    "divide": layers.Divide,
    "maximum": layers.Maximum,
    "minimum": layers.Minimum,
}


def alone(operation: Any) -> Callable[[Call], Tensor]:
    return lambda call: call.layer(layers.Elementwise(operation), call.tensor())


def with_number(call: Call, operation: Any, x: Tensor, number: float, first: bool) -> Tensor:
    """Return an operation of x and a number; x itself where it changes nothing."""
    neutral = {"add": 0.0, "multiply": 1.0, "subtract": 0.0, "divide": 1.0, "power": 1.0}
    if not first and neutral.get(operation) == number:
        return x
    if operation == "power" and not first and number == 0.5:
        return call.layer(layers.Elementwise("sqrt"), x)
    return call.layer(layers.Elementwise(operation, number, first), x)


def of_two(operation: str) -> Callable[[Call], Tensor]:
    """Return the rule of an operation of two or more values."""

    def rule(call: Call) -> Tensor:
        call.require(not (operation == "divide" and _whole(call)), "whole numbers")
        made = call.inputs[0]
        for other in call.inputs[1:]:
            made = _combined(call, operation, made, other)
        if not isinstance(made, Tensor):
            raise CannotReadError("no tensor of the model")
        return made

    return rule


def _whole(call: Call) -> bool:
    return any(isinstance(x, Tensor) and x.dtype == "int32" for x in call.inputs)


def _combined(call: Call, operation: str, a: Any, b: Any) -> Tensor:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        call.require(operation in MERGES, "an exponent that is not a number")
        call.require(a.rank == b.rank, f"tensors of rank {a.rank} and {b.rank}")
        return call.layer(MERGES[operation](), a, b)
    first = isinstance(a, Known)
    x, given = (b, a) if first else (a, b)
    if not (isinstance(x, Tensor) and isinstance(given, Known)):
        raise CannotReadError("two constants")
    if given.fixed.size == 1 and given.fixed.ndim <= x.rank:
        return with_number(call, operation, x, float(given.fixed.ravel()[0]), first)
    return _with_array(call, operation, x, given, first)


def _with_array(call: Call, operation: str, x: Tensor, given: Known, first: bool) -> Tensor:
    array = np.asarray(given.fixed, np.float64)
    if operation == "subtract":
        if first:
            x = call.layer(layers.Elementwise("negative"), x)
        return added(call, x, array if first else -array, given)
    if operation == "divide":
        if first:
            x = call.layer(layers.Elementwise("divide", 1.0, True), x)
        return multiplied(call, x, array if first else 1.0 / array, given)
    if operation == "add":
        return added(call, x, array, given)
    call.require(operation == "multiply", f"an array of shape {array.shape}")
    return multiplied(call, x, array, given)


def _fitted(call: Call, x: Tensor, array: Array) -> tuple[Array, str, str]:
    """Return an array without its sizes of 1, its letters, and those of x."""
    letters = LETTERS[: x.rank]
    call.require(x.dtype == "float32", f"an array and a tensor of {x.dtype}")
    call.require(array.ndim <= x.rank <= len(LETTERS), f"an array of shape {array.shape}")
    shape = (1,) * (x.rank - array.ndim) + array.shape
    fits = all(n in (1, size) for n, size in zip(shape[1:], x.shape, strict=True))
    call.require(shape[0] == 1 and fits, f"an array of shape {array.shape} with {x.shape}")
    kept = "".join(letter for letter, n in zip(letters, shape, strict=True) if n != 1)
    return array.reshape([n for n in shape if n != 1]), kept, letters


def added(call: Call, x: Tensor, array: Array, source: Known) -> Tensor:
    """Return x plus an array, which is a weight if it is an initializer of the file.

    A layer with a bias along any axes is an EinsumDense, whose kernel is 1 and is not trained.
    """
    fitted, kept, letters = _fitted(call, x, array)
    fixed = () if source.name else ("embeddings",)
    if x.rank == 3 and kept == "bc":
        made = layers.PositionEmbedding(fitted.shape[0])
        weights = {"embeddings": fitted}
        return call.layer(made, x, weights=weights, sources=(source,), frozen=fixed)
    one, first = kept[-1], letters.index(kept[0])
    size = x.shape[letters.index(one) - 1]
    # The bias of an EinsumDense has sizes of 1 after its first axis.
    sizes = [
        n if c in kept else 1 for c, n in zip(letters[first:], x.shape[first - 1 :], strict=True)
    ]
    einsum = layers.EinsumDense(f"{letters},{one}->{letters}", x.shape, bias_axes=kept)
    weights = {"kernel": np.ones(size), "bias": fitted.reshape(sizes)}
    frozen = ("kernel",) if source.name else ("kernel", "bias")
    return call.layer(einsum, x, weights=weights, sources=(source,), frozen=frozen)


def multiplied(call: Call, x: Tensor, array: Array, source: Known) -> Tensor:
    """Return x times an array, which is a weight if it is an initializer of the file."""
    fitted, kept, letters = _fitted(call, x, array)
    scale: layers.AbstractLayer
    if kept == letters[-1]:
        scale, name = layers.LayerScale(1.0, fitted.size), "gamma"
    else:
        scale = layers.EinsumDense(f"{letters},{kept}->{letters}", x.shape)
        name = "kernel"
    frozen = () if source.name else (name,)
    return call.layer(scale, x, weights={name: fitted}, sources=(source,), frozen=frozen)


def reduced(operation: Any) -> Callable[[Call], Tensor]:
    def rule(call: Call) -> Tensor:
        x = call.tensor()
        axes = call.axes(1, x.rank)
        if not axes and call.get("noop_with_empty_axes", 0):
            return x
        if not axes or 0 in axes:
            raise CannotReadError(f"axes={axes}: the batch is among them")
        return call.layer(layers.Reduce(operation, axes, bool(call.get("keepdims", 1))), x)

    return rule

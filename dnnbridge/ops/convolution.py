"""Convolution and its transpose, channels last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.errors import ShapeError
from dnnbridge.graph import Op, TensorType, Value
from dnnbridge.graph.op import require_dtype
from dnnbridge.graph.types import shape_text
from dnnbridge.ops.rule import Rule
from dnnbridge.ops.windows import Padding, Pairs, cropped, offsets, pad_pairs, padded, places


@dataclass(frozen=True)
class Conv(Op):
    """y[p, o] = Σ over k and i of x[p · stride + k · dilation - before, i] · kernel[k, i, o]

    The input is (batch, *spatial, in), the kernel (*window, in / groups, out). Input and
    output channels are split into groups, in order. The outputs of a group depend only on its
    inputs. The padding counts as 0. (This is a correlation, as in every framework: the kernel is
    not flipped.)
    """

    strides: tuple[int, ...]
    padding: Pairs
    dilation: tuple[int, ...]
    groups: int = 1

    def infer(self, *types: TensorType) -> TensorType:
        x, kernel = types
        require_dtype(self, x, "float32")
        _require_ranks("a convolution", x, kernel, len(self.strides))
        channels, filters = kernel.shape[-2:]
        if x.shape[-1] != self.groups * (channels or 0) or (filters or 0) % self.groups:
            raise ShapeError(
                "channels of input, kernel and groups do not fit",
                got=f"input ({shape_text(x.shape)}), kernel ({shape_text(kernel.shape)}), "
                f"{self.groups} groups",
                hint="The groups must divide the channels of the input and the filters.",
            )
        window = tuple(int(size or 0) for size in kernel.shape[:-2])
        made = places(
            "a convolution", x.shape[1:-1], window, self.strides, self.padding, self.dilation
        )
        return x.with_shape((x.shape[0], *made, filters))

    def flops(self, inputs: tuple[TensorType, ...], output: TensorType) -> int:
        return _flops(output, inputs[1])


@dataclass(frozen=True)
class ConvTranspose(Op):
    """The transpose of the `Conv` that has these attributes and takes inputs of spatial `sizes`

    The kernel is (*window, out, in), as for that Conv. Every input adds its multiple of the kernel
    to the output; results in the padding are dropped.
    """

    strides: tuple[int, ...]
    padding: Pairs
    dilation: tuple[int, ...]
    sizes: tuple[int, ...]

    @property
    def transposed(self) -> Conv:
        return Conv(self.strides, self.padding, self.dilation)

    def infer(self, *types: TensorType) -> TensorType:
        x, kernel = types
        _require_ranks("a transposed convolution", x, kernel, len(self.strides))
        made = x.with_shape((x.shape[0], *self.sizes, kernel.shape[-2]))
        if self.transposed.infer(made, kernel) != x:
            raise ShapeError(
                "the output does not fit the input",
                got=f"input ({shape_text(x.shape)}), kernel ({shape_text(kernel.shape)}), "
                f"output ({shape_text(made.shape)})",
                hint="A convolution of the output must have the shape of the input.",
            )
        return made

    def flops(self, inputs: tuple[TensorType, ...], output: TensorType) -> int:
        return _flops(inputs[0], inputs[1])


def _flops(smaller: TensorType, kernel: TensorType) -> int:
    """Every element of the smaller side meets the kernel of each channel of the other."""
    return 2 * smaller.size() * kernel.size() // int(kernel.shape[-1] or 1)


def _require_ranks(what: str, x: TensorType, kernel: TensorType, axes: int) -> None:
    if not x.rank == kernel.rank == axes + 2 or axes not in (1, 2, 3):
        raise ShapeError(
            f"{what} over {axes} axes takes (batch, *spatial, channels)",
            got=f"input ({shape_text(x.shape)}), kernel ({shape_text(kernel.shape)})",
            hint="Use the layer of the right number of axes, or reshape the input.",
        )


def conv(
    x: Value,
    kernel: Value,
    strides: Sequence[int],
    padding: Padding = "valid",
    dilation: Sequence[int] | None = None,
    groups: int = 1,
) -> Value:
    dilation = tuple(dilation or (1,) * len(strides))
    window = [int(size or 0) for size in kernel.shape[:-2]]
    sizes = x.shape[1 : 1 + len(window)]
    pairs = pad_pairs(padding, sizes, window, strides, dilation) if x.rank == kernel.rank else ()
    return x.builder.add(Conv(tuple(strides), pairs, dilation, groups), x, kernel)


def conv_transpose(
    x: Value,
    kernel: Value,
    strides: Sequence[int],
    sizes: Sequence[int],
    padding: Padding = "valid",
    dilation: Sequence[int] | None = None,
) -> Value:
    """Record a `ConvTranspose`; the padding is that of the convolution of its output."""
    dilation = tuple(dilation or (1,) * len(strides))
    window = [int(size or 0) for size in kernel.shape[:-2]]
    pairs = pad_pairs(padding, sizes, window, strides, dilation)
    op = ConvTranspose(tuple(strides), pairs, dilation, tuple(sizes))
    return x.builder.add(op, x, kernel)


def _rows(x: Array, groups: int) -> Array:
    """(…, groups · channels) -> (groups, rows, channels), which one product takes."""
    return x.reshape(-1, groups, x.shape[-1] // groups).swapaxes(0, 1)


def _columns(rows: Array) -> Array:
    """(groups, rows, channels) -> (rows, groups · channels)"""
    return rows.swapaxes(0, 1).reshape(rows.shape[1], -1)


def _kernel(kernel: Array, offset: tuple[int, ...], groups: int) -> Array:
    """One element of the window: (groups, in, out)."""
    matrix: Array = kernel[offset]
    return np.asarray(matrix.reshape(matrix.shape[0], groups, -1).swapaxes(0, 1))


def _conv(op: Conv, x: Array, kernel: Array) -> Array:
    window, given = kernel.shape[:-2], padded(x, op.padding)
    made = places("", x.shape[1:-1], window, op.strides, op.padding, op.dilation)
    total = np.zeros((op.groups, len(x) * math.prod(made), kernel.shape[-1] // op.groups))
    for offset, where in offsets(window, op.strides, op.dilation, made):
        total += _rows(given[where], op.groups) @ _kernel(kernel, offset, op.groups)
    return _columns(total).reshape(len(x), *made, -1)


def _by_input(op: Conv, sizes: Sequence[int], kernel: Array, dy: Array) -> Array:
    channels = kernel.shape[-2] * op.groups
    grown = [n + a + b for n, (a, b) in zip(sizes, op.padding, strict=True)]
    dx, rows = np.zeros((len(dy), *grown, channels)), _rows(dy, op.groups)
    for offset, where in offsets(kernel.shape[:-2], op.strides, op.dilation, dy.shape[1:-1]):
        share = rows @ _kernel(kernel, offset, op.groups).swapaxes(1, 2)
        dx[where] += _columns(share).reshape(*dy.shape[:-1], channels)
    return cropped(dx, op.padding)


def _by_kernel(op: Conv, x: Array, kernel: Array, dy: Array) -> Array:
    given, dk, rows = padded(x, op.padding), np.zeros(kernel.shape), _rows(dy, op.groups)
    for offset, where in offsets(kernel.shape[:-2], op.strides, op.dilation, dy.shape[1:-1]):
        products = _rows(given[where], op.groups).swapaxes(1, 2) @ rows
        dk[offset] = _columns(products)
    return dk


def _conv_vjp(op: Conv, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array, Array]:
    x, kernel = xs
    return _by_input(op, x.shape[1:-1], kernel, dy), _by_kernel(op, x, kernel, dy)


def _transpose(op: ConvTranspose, x: Array, kernel: Array) -> Array:
    return _by_input(op.transposed, op.sizes, kernel, x)


def _transpose_vjp(op: Any, xs: tuple[Array, ...], y: Array, dy: Array) -> tuple[Array, Array]:
    x, kernel = xs
    return _conv(op.transposed, dy, kernel), _by_kernel(op.transposed, dy, kernel, x)


RULES: dict[type[Op], Rule] = {
    Conv: Rule(_conv, _conv_vjp),
    ConvTranspose: Rule(_transpose, _transpose_vjp),
}

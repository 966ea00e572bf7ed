"""Convolutions and pools, whose ONNX forms have their channels first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dnnbridge import ops
from dnnbridge.formats.onnx.writing.nodes import Nodes
from dnnbridge.formats.onnx.writing.operands import Known, Operand, Tensor
from dnnbridge.graph import Op, TensorType
from dnnbridge.ops.windows import Pairs


def _pads(padding: Pairs) -> list[int]:
    return [before for before, _ in padding] + [after for _, after in padding]


def _kernel(w: Nodes, kernel: Operand, order: tuple[int, ...]) -> str:
    """Return a kernel with its axes in another order."""
    if isinstance(kernel, Known):
        return w.file.initializer(kernel.array.transpose(order), kernel.label)
    return w.add("Transpose", [w.last(kernel)], perm=order)


def _window(kernel: Operand) -> list[int]:
    shape = kernel.array.shape if isinstance(kernel, Known) else kernel.type.shape
    return [int(size or 0) for size in shape[:-2]]


def _conv(w: Nodes, op: ops.Conv, type: TensorType, x: Operand, kernel: Operand) -> Tensor:
    axes = len(op.strides)
    made = w.add(
        "Conv",
        [w.first(x), _kernel(w, kernel, (axes + 1, axes, *range(axes)))],
        kernel_shape=_window(kernel),
        strides=op.strides,
        pads=_pads(op.padding),
        dilations=op.dilation,
        group=op.groups,
    )
    return Tensor(type, first=made)


def _conv_transpose(
    w: Nodes, op: ops.ConvTranspose, type: TensorType, x: Operand, kernel: Operand
) -> Tensor:
    """Write the transpose of a convolution; places that its window left out are output padding."""
    axes, window = len(op.strides), _window(kernel)
    shape = x.array.shape if isinstance(x, Known) else x.type.shape
    most = zip(shape[1:-1], window, op.strides, op.dilation, op.padding, strict=True)
    reached = [s * (int(n or 0) - 1) + (k - 1) * d + 1 - sum(pair) for n, k, s, d, pair in most]
    made = w.add(
        "ConvTranspose",
        [w.first(x), _kernel(w, kernel, (axes + 1, axes, *range(axes)))],
        kernel_shape=window,
        strides=op.strides,
        pads=_pads(op.padding),
        dilations=op.dilation,
        output_padding=[size - n for size, n in zip(op.sizes, reached, strict=True)],
    )
    return Tensor(type, first=made)


def _pool(kind: str) -> Callable[..., Tensor]:
    def lower(w: Nodes, op: Any, type: TensorType, x: Operand) -> Tensor:
        counted = {"count_include_pad": int(op.count_include_pad)} if kind != "MaxPool" else {}
        made = w.add(
            kind,
            [w.first(x)],
            kernel_shape=op.window,
            strides=op.strides,
            pads=_pads(op.padding),
            **counted,
        )
        return Tensor(type, first=made)

    return lower


WINDOWS: Mapping[type[Op], Callable[..., Tensor]] = {
    ops.AvgPool: _pool("AveragePool"),
    ops.Conv: _conv,
    ops.ConvTranspose: _conv_transpose,
    ops.MaxPool: _pool("MaxPool"),
}

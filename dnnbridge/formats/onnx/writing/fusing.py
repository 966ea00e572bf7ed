"""A sum with a bias as part of the product or convolution before it."""

from __future__ import annotations

from dnnbridge.formats.onnx.writing.nodes import Nodes
from dnnbridge.formats.onnx.writing.operands import Known, Operand, Tensor
from dnnbridge.graph import TensorType

WITH_BIAS = {"Conv", "ConvTranspose", "MatMul"}
"""Nodes that may take a bias; MatMul becomes Gemm."""


def fused_sum(w: Nodes, a: Operand, b: Operand, type: TensorType) -> Tensor | None:
    """Add a bias to the node that made the other operand, or return None.

    The caller has marked the values that nothing else reads: `Nodes.alone`.
    """
    for x, bias in ((a, b), (b, a)):
        if isinstance(x, Tensor) and isinstance(bias, Known) and (made := _fused(w, x, bias)):
            return made
    return None


def _fused(w: Nodes, x: Tensor, bias: Known) -> Tensor | None:
    name = x.first if x.is_first else x.last
    node = w.makers.get(name or "")
    if name not in w.alone or node is None or node.kind not in WITH_BIAS or len(node.inputs) > 2:
        return None
    channels = x.type.shape[-1]
    if bias.array.size != channels or bias.array.shape[-1:] != (channels,):
        return None
    if node.kind == "MatMul":
        if x.rank != 2 or node.inputs[1] not in w.file.initializers:
            return None
        node.kind = "Gemm"
    w.alone.discard(name)
    node.inputs.append(w.file.initializer(bias.array.reshape(-1), bias.label))
    return x

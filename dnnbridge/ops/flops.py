"""How many floating-point operations a graph makes."""

from __future__ import annotations

import math

from dnnbridge import ops
from dnnbridge.graph import Graph, Node, Scan

FREE = (
    *(ops.Reshape, ops.Transpose, ops.Concat, ops.Cast, ops.Pad, ops.Slice, ops.BroadcastTo),
    ops.Reverse,
)
"""Operations that move numbers without computing."""


def flops_of_graph(graph: Graph) -> int:
    """Count the operations of a graph for one example; a multiply-add counts as two."""
    return sum(map(flops, graph.nodes))


def flops(node: Node) -> int:
    """Count the operations of a node and of its body, for one example."""
    if node.body is not None:
        times = node.op.length if isinstance(node.op, Scan) else 1
        return times * flops_of_graph(node.body)
    if isinstance(node.op, FREE) or not node.inputs:
        return 0
    output = node.outputs[0].type.size()
    if isinstance(node.op, (ops.MatMul, ops.BatchMatMul)):
        return 2 * output * int(node.inputs[0].shape[-1] or 1)
    if isinstance(node.op, (ops.Conv, ops.ConvTranspose)):
        # Every element of the smaller side meets the kernel of each channel of the other.
        kernel, transposed = node.inputs[1].type, isinstance(node.op, ops.ConvTranspose)
        places = node.inputs[0].type.size() if transposed else output
        return 2 * places * kernel.size() // int(kernel.shape[-1] or 1)
    if isinstance(node.op, (ops.MaxPool, ops.AvgPool)):
        return output * math.prod(node.op.window)
    return max(output, *(value.type.size() for value in node.inputs))

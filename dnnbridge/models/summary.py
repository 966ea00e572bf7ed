"""What a model consists of: shapes, weights and arithmetic of every layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dnnbridge import ops
from dnnbridge.graph import Dim, Node, Scan
from dnnbridge.graph.types import shape_text
from dnnbridge.models.tracing import trace, weights_below

if TYPE_CHECKING:
    from dnnbridge.models.base import AbstractModel

FREE = (
    *(ops.Reshape, ops.Transpose, ops.Concat, ops.Cast, ops.Pad, ops.Slice, ops.BroadcastTo),
    ops.Reverse,
)
"""Operations that move numbers without computing."""


@dataclass(frozen=True)
class Row:
    """A layer of a model.

    Attributes:
        name: path of the layer.
        kind: class of the layer.
        shape: of its output; None is the batch.
        parameters: number of its trainable weights.
        flops: floating-point operations per example, forward; a multiply-add counts as two.
    """

    name: str
    kind: str
    shape: tuple[Dim, ...]
    parameters: int
    flops: int


@dataclass(frozen=True)
class Summary:
    """The layers of a model; `print` it.

    Attributes:
        rows: one per call of a layer, in order. Weights that are shared count once, in the first.
        parameters: trainable weights of the model.
        flops: floating-point operations per example, forward.
    """

    rows: tuple[Row, ...]
    parameters: int
    flops: int

    def __str__(self) -> str:
        head = ("layer", "kind", "output", "parameters", "FLOPs")
        table = [
            (r.name, r.kind, f"({shape_text(r.shape)})", f"{r.parameters:,}", f"{r.flops:,}")
            for r in self.rows
        ]
        widths = [max(map(len, column)) for column in zip(head, *table, strict=True)]
        lines = ["  ".join(_aligned(row, widths)).rstrip() for row in (head, *table)]
        total = f"{self.parameters:,} parameters, {self.flops:,} FLOPs per example"
        return "\n".join([*lines, total])


def summarize(model: AbstractModel) -> Summary:
    """Read the layers of a model off its graph."""
    graph, declared = trace(model)
    counted: set[str] = set()
    rows = []
    for node in graph.nodes:
        weights = weights_below(node.path, declared)
        fresh = sum(size for name, size in weights.items() if name not in counted)
        counted |= weights.keys()
        rows.append(Row(node.path, str(node.op), node.outputs[0].shape, fresh, _flops(node)))
    return Summary(tuple(rows), sum(r.parameters for r in rows), sum(r.flops for r in rows))


def _flops(node: Node) -> int:
    """Count the operations of a node and of its body, for one example."""
    if node.body is not None:
        times = node.op.length if isinstance(node.op, Scan) else 1
        return times * sum(map(_flops, node.body.nodes))
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


def _aligned(row: tuple[str, ...], widths: list[int]) -> list[str]:
    """Put words to the left and numbers to the right."""
    words = [cell.ljust(width) for cell, width in zip(row[:3], widths[:3], strict=True)]
    numbers = [cell.rjust(width) for cell, width in zip(row[3:], widths[3:], strict=True)]
    return words + numbers

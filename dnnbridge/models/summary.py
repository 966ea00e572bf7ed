"""The summary of a model: shapes, weights and operations of every layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dnnbridge.base.messages import columns
from dnnbridge.drawing import notebook
from dnnbridge.graph import Dim
from dnnbridge.graph.types import shape_text
from dnnbridge.models.tracing import trace, weights_below

if TYPE_CHECKING:
    from dnnbridge.models.base import AbstractModel


HEAD = ("layer", "kind", "output", "parameters", "FLOPs")


@dataclass(frozen=True)
class Row:
    """A layer of a model.

    Attributes:
        name: path of the layer.
        kind: class of the layer.
        shape: shape of its output; None is the batch size.
        parameters: number of its trainable weights.
        flops: floating-point operations per example, forward pass; a multiply-add counts as two.
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
        rows: one per call of a layer, in order. Shared weights count only in the first call.
        parameters: number of trainable weights of the model.
        flops: floating-point operations per example, forward pass.
    """

    rows: tuple[Row, ...]
    parameters: int
    flops: int

    def __str__(self) -> str:
        return "\n".join([*columns([HEAD, *self.cells()], words=3), self.total])

    @property
    def total(self) -> str:
        """The numbers of the whole model, in words."""
        return f"{self.parameters:,} parameters, {self.flops:,} FLOPs per example"

    def _repr_html_(self) -> str:
        return notebook.block(self.total, notebook.table(HEAD, self.cells(), words=3))

    def cells(self) -> list[tuple[str, ...]]:
        """Return the rows as texts: name, kind, shape, weights and operations."""
        return [
            (r.name, r.kind, f"({shape_text(r.shape)})", f"{r.parameters:,}", f"{r.flops:,}")
            for r in self.rows
        ]


def summarize(model: AbstractModel) -> Summary:
    """Summarize the layers of a model from its graph."""
    graph, declared = trace(model)
    counted: set[str] = set()
    rows = []
    for node in graph.nodes:
        weights = weights_below(node.path, declared)
        fresh = sum(size for name, size in weights.items() if name not in counted)
        counted |= weights.keys()
        rows.append(Row(node.path, str(node.op), node.outputs[0].shape, fresh, node.flops()))
    return Summary(tuple(rows), sum(r.parameters for r in rows), sum(r.flops for r in rows))

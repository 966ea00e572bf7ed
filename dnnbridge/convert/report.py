"""`ImportReport`: what became of each layer of an imported model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import columns
from dnnbridge.graph import Graph


class ImportedLayer(NamedTuple):
    """A layer of the source, and what it is here.

    Attributes:
        name: its name here, with those of the models around it.
        here: the layer here.
        weights: how many numbers were read for it.
    """

    name: str
    here: str
    weights: int


@dataclass(frozen=True)
class ImportReport:
    """What was read; `print` it.

    Attributes:
        source: the file or class.
        layers: one row per layer.
        notes: what was left out, a sentence each.
    """

    source: str
    layers: tuple[ImportedLayer, ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        head = ("layer", "here", "weights")
        rows = [(row.name, row.here, f"{row.weights:,}") for row in self.layers]
        total = sum(row.weights for row in self.layers)
        lines = columns([head, *rows], words=2)
        return "\n".join([*lines, f"{total:,} weights from {self.source}", *self.notes])


def rows_of(graph: Graph, arrays: Mapping[str, Array]) -> list[ImportedLayer]:
    """Return one row per layer of the outermost model."""
    rows = {}
    for node in graph.nodes:
        read = (a.size for n, a in arrays.items() if n.startswith(f"{node.path}/"))
        rows[node.path] = ImportedLayer(node.path, str(node.op), sum(read))
    return list(rows.values())

"""`ImportReport`: what became of each layer of an imported model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from dnnbridge.base.messages import columns


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

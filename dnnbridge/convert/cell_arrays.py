"""`arrays_of_cell`: which parameters of a Cell make each array here, and in which layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.convert.followed_cells import followed, inputs_of, predicting
from dnnbridge.convert.from_mindspore import parameter_of
from dnnbridge.formats.findings import Findings


@dataclass(frozen=True)
class CellArray:
    """An array here, and the parameters that make it.

    Attributes:
        names: the parameters.
        layout: makes the array of theirs.
    """

    names: tuple[str, ...]
    layout: Any

    def read(self, arrays: Mapping[str, Array]) -> Array | None:
        """Return the array, made of arrays by the names of parameters; None if one is missing."""
        if not all(name in arrays for name in self.names):
            return None
        made = self.layout.read(*(arrays[name] for name in self.names))
        return np.ascontiguousarray(made, np.float32)


def arrays_of_cell(cell: Any, input_shapes: Any) -> dict[str, CellArray]:
    """Return the arrays of a Cell by their names here, as `from_mindspore` reads them.

    Raises:
        ConversionError: `construct` has layers, arguments or operations without a counterpart.
    """
    findings = Findings()
    with predicting(cell):
        follower, _, _ = followed(cell, inputs_of(input_shapes), findings)
    findings.check(type(cell).__name__)
    made = {}
    for owner, parts in follower.parts.values():
        for part in parts:
            for entry in part.entries:
                names = _names(owner, entry.there)
                if names is not None:
                    made[f"{part.layer.name}/{entry.here}"] = CellArray(names, entry.layout)
    return made


def _names(owner: Any, wanted: Sequence[str]) -> tuple[str, ...] | None:
    """Return the names of parameters; None if the layer has none of them, such as a bias."""
    try:
        return tuple([parameter_of(owner, name).name for name in wanted])
    except (StopIteration, AttributeError):
        return None

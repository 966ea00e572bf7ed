"""`Inspected`: what a file of weights or of a run holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dnnbridge.base.messages import columns
from dnnbridge.experiment import Experiment
from dnnbridge.models import AbstractModel

SHOWN = 8
"""Epochs of the logs that are printed, the last ones."""


class InspectedArray(NamedTuple):
    """An array of a file.

    Attributes:
        name: its name.
        role: "weight", "buffer" or "slot" (of the optimizer); "array" if the file has no spec.
        shape: its sizes.
        dtype: its NumPy dtype.
    """

    name: str
    role: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def bytes(self) -> int:
        """Its size in memory."""
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class Inspected:
    """What a file holds; `print` it.

    Attributes:
        path: the file.
        format: what kind of file it is.
        arrays: its arrays, in order.
        experiment: the spec, if the file has a whole one.
        facts: further facts by name: the backend, the steps, the epochs.
        logs: a row for each epoch, as `Run.logs`.
        notes: what could not be read, a sentence each.
        model: the model, if the file has one without a loss or an optimizer.
    """

    path: Path
    format: str
    arrays: tuple[InspectedArray, ...] = ()
    experiment: Experiment | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    logs: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    model: AbstractModel | None = None

    def __str__(self) -> str:
        total = sum(array.bytes for array in self.arrays)
        count = f"{len(self.arrays)} array{'s' * (len(self.arrays) != 1)}"
        lines = [f"{self.path}: {self.format}, {count}, {_size(total)}"]
        lines += [f"{name}: {value}" for name, value in self.facts.items()]
        if self.experiment is not None:
            lines += ["", *_described(self.experiment)]
        elif self.model is not None:
            lines += ["", str(self.model.summary())]
        if self.arrays:
            head = ("array", "role", "shape", "dtype", "size")
            rows = [(a.name, a.role, str(a.shape), a.dtype, _size(a.bytes)) for a in self.arrays]
            lines += ["", *columns([head, *rows], words=2)]
        if self.logs:
            lines += ["", *_table(self.logs)]
        return "\n".join([*lines, *([""] if self.notes else []), *self.notes])

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {
            "path": str(self.path),
            "format": self.format,
            "facts": dict(self.facts),
            "arrays": [{**each._asdict(), "bytes": each.bytes} for each in self.arrays],
            "experiment": None if self.experiment is None else self.experiment.to_dict(),
            "model": None if self.model is None else self.model.to_dict(),
            "logs": [dict(row) for row in self.logs],
            "notes": list(self.notes),
        }


def _described(experiment: Experiment) -> list[str]:
    lines = [str(experiment.model.summary())]
    for name in ("loss", "optimizer", "metrics", "weighted_metrics", "seed", "frozen"):
        value = getattr(experiment, name)
        if value not in ((), None):
            lines.append(f"{name}: {value}")
    return lines


def _table(logs: tuple[Mapping[str, Any], ...]) -> list[str]:
    names = list(dict.fromkeys(name for row in logs for name in row))
    rows = [tuple(_shown(row.get(name)) for name in names) for row in logs[-SHOWN:]]
    before = [f"{len(logs) - SHOWN} earlier epochs are not shown."] if len(logs) > SHOWN else []
    return [*columns([tuple(names), *rows], words=0), *before]


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, (int, float)) else "…"


def _size(count: int) -> str:
    """Return a number of bytes with a unit.

    Example:
        >>> _size(12), _size(2_500_000)
        ('12 B', '2.4 MiB')
    """
    size, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"

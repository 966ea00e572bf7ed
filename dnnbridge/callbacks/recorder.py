"""`Recorder`: turn what a step has computed into the rows and tensors of a trace."""

from __future__ import annotations

import fnmatch
import importlib.metadata
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import dnnbridge
from dnnbridge.base.arrays import Array
from dnnbridge.base.machine import machine
from dnnbridge.callbacks.nearby import SCALES, Made, Moves, nearby
from dnnbridge.errors import ArgumentError
from dnnbridge.formats.traces.fingerprints import batch_print
from dnnbridge.formats.traces.reading import FORMAT
from dnnbridge.formats.traces.statistics import row
from dnnbridge.formats.traces.writing import Tensor, TraceWriter

MAX_BYTES = 64 * 2**20
"""Default bound of a file."""

Probe = tuple[Any, Any]


def checked_tensors(given: Any, where: str) -> tuple[str, ...]:
    """Return patterns of places whose tensors are recorded, or raise."""
    if given == "all":
        return ("*",)
    several = isinstance(given, Iterable) and not isinstance(given, str)
    listed = list(given) if several else [given]
    if not all(isinstance(name, str) for name in listed):
        raise ArgumentError(
            'takes names or patterns of layers and arrays, or "all"',
            where=where,
            got=repr(given),
            hint='Write ("conv1", "dense/*").',
        )
    return tuple(listed)


def checked_probe(given: Any, where: str) -> Probe | None:
    """Return (x, y), or raise."""
    if given is not None and (not isinstance(given, tuple) or len(given) != 2):
        raise ArgumentError(
            "takes a fixed batch (x, y)",
            where=where,
            got=type(given).__name__,
            hint="Write (x, y).",
        )
    return given


def probe_print(probe: Probe | None) -> dict[str, Any] | None:
    """Return the fingerprint of a fixed batch."""
    if probe is None:
        return None
    return batch_print([column for part in probe for column in _columns(part)])._asdict()


def _columns(given: Any) -> list[Array]:
    if isinstance(given, Mapping):
        return [np.asarray(each) for each in given.values()]
    several = isinstance(given, list | tuple) and any(hasattr(each, "shape") for each in given)
    return [np.asarray(each) for each in given] if several else [np.asarray(given)]


def about(distributions: Sequence[str]) -> dict[str, Any]:
    """Return what every trace says of where it was made."""
    versions = {"dnnbridge": dnnbridge.__version__, "numpy": np.__version__}
    versions["python"] = platform.python_version()
    for name in distributions:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {"format": FORMAT, "versions": versions, "processor": str(machine())}


class Recorder:
    """Writes recorded steps.

    Args:
        path: the file.
        every: distance of recorded steps.
        max_bytes: bound of the file.
        tensors: patterns of places.
        head: what the training is.

    Attributes:
        writer: writes the file.
    """

    def __init__(
        self,
        path: Path,
        every: int,
        max_bytes: int,
        tensors: tuple[str, ...],
        head: Mapping[str, Any],
    ) -> None:
        self.writer = TraceWriter(path, every, max_bytes, {"asked": every, **head})
        self.tensors, self.recorded = tensors, 0
        self.noise: frozenset[str] = frozenset()

    def begin(self, resumed: bool, step: int) -> None:
        """Start the file, or go on with it after so many steps."""
        if resumed and self.writer.path.exists():
            self.recorded = len(self.writer.resume(step).steps)
        else:
            self.writer.start()

    def takes(self, step: int) -> bool:
        """Whether a step, counted from 1, is recorded."""
        return self.writer.takes(step)

    @property
    def moves(self) -> bool:
        """Whether the next recorded step is also computed from moved states: 1, 2, 4, 8, …"""
        return (self.recorded + 1) & self.recorded == 0

    def near(self, step: int, exact: Made, compute: Callable[[Moves], Made]) -> dict[str, Any]:
        """Return how far changes of the state move a step."""
        found = nearby(compute, exact, self.noise, step)
        self.noise = found.noise
        return {"scales": SCALES, "moved": found.moved, "free": sorted(found.noise)}

    def step(
        self,
        step: int,
        made: Made,
        batch: Sequence[Array] | None,
        near: Mapping[str, Any] | None,
    ) -> None:
        """Write a recorded step."""
        rows = {place: row(array) for place, array in made.items()}
        wanted = [
            Tensor(place, array)
            for place, array in made.items()
            if any(fnmatch.fnmatchcase(place.where, pattern) for pattern in self.tensors)
        ]
        print_ = None if batch is None else batch_print(batch)._asdict()
        self.writer.step(step, rows, print_, wanted, near)
        self.recorded += 1

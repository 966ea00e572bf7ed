"""`read_trace`: read a trace, within limits, also one whose writer was killed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dnnbridge.base.arrays import Array
from dnnbridge.base.files import as_path, check_is_file
from dnnbridge.errors import CheckpointError
from dnnbridge.formats.traces.places import TracePlace, from_json
from dnnbridge.formats.traces.records import Stored, records
from dnnbridge.formats.traces.statistics import WIDTH, Row

MOST_BYTES = 2**30
"""Largest file that is read, unless the caller allows more."""

FORMAT = "dnnbridge trace 1"

DTYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")
"""What tensors may be made of."""


@dataclass(frozen=True, eq=False)
class TracedStep:
    """A recorded step.

    Attributes:
        step: its number, counted from 1.
        rows: statistics and sketch of each place, (places, `WIDTH`).
        batch: fingerprint of the batch, or None.
        tensors: where the file has whole arrays.
    """

    step: int
    rows: npt.NDArray[np.float64]
    batch: Mapping[str, Any] | None
    tensors: dict[tuple[str, str], Stored] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Near:
    """How far small changes of the state before a step move each place of it.

    Attributes:
        step: its number.
        scales: relative sizes of the changes.
        moved: relative distances, (scales, places); NaN where it was not measured.
        free: weights that rounding decides.
    """

    step: int
    scales: tuple[float, ...]
    moved: npt.NDArray[np.float64]
    free: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class TraceFile:
    """What a trace holds.

    Attributes:
        path: the file.
        size: its bytes.
        head: what the training is.
        places: what each row of a step is about.
        steps: recorded steps by number.
        near: how far small changes move the places, by step.
        epochs: losses and metrics by epoch, with the number of steps done.
        whole: whether the last record is complete.
    """

    path: Path
    size: int
    head: dict[str, Any]
    places: tuple[TracePlace, ...]
    steps: dict[int, TracedStep]
    near: dict[int, Near]
    epochs: dict[int, dict[str, Any]]
    whole: bool

    @property
    def every(self) -> int:
        """The distance of recorded steps."""
        return int(self.head["every"])

    @property
    def every_epochs(self) -> int:
        """The distance of recorded epochs."""
        return int(self.head["every_epochs"])

    def rows(self, step: int) -> dict[TracePlace, Row]:
        """Return the rows of a step by place."""
        return dict(zip(self.places, self.steps[step].rows, strict=True))

    def tensor(self, step: int, stage: str, where: str) -> Array | None:
        """Return a whole array of a step; None if the file does not have it."""
        stored = self.steps[step].tensors.get((stage, where)) if step in self.steps else None
        if stored is None:
            return None
        with self.path.open("rb") as file:
            file.seek(stored.numbers)
            raw = file.read(stored.length)
        dtype = np.dtype(stored.fields["dtype"]).newbyteorder("<")
        return np.frombuffer(raw, dtype).reshape(stored.fields["shape"])


def read_trace(path: str | Path, max_bytes: int = MOST_BYTES) -> TraceFile:
    """Read a trace. Whole arrays stay in the file until `tensor` asks for one.

    Args:
        path: the file.
        max_bytes: the largest file that is read; memory is a small multiple of it at most.

    Raises:
        CheckpointError: the file is missing, too large, damaged, or no trace. A file whose writer
            was killed is read up to its last whole record.
    """
    path = as_path(path, "a trace", CheckpointError)
    check_is_file(path, CheckpointError)
    size = path.stat().st_size
    if size > max_bytes:
        raise CheckpointError(
            f"has {size} bytes, more than max_bytes={max_bytes}",
            where=str(path),
            hint="Give a larger max_bytes if you know where the file is from.",
        )
    reading, end = _Reading(path), 0
    with path.open("rb") as file:
        for number, stored in enumerate(records(file, path, size), 1):
            reading.take(stored, number, file)
            end = stored.begin + stored.size
    if reading.head is None:
        raise CheckpointError("has no whole record", where=str(path), got=f"{size} bytes")
    return TraceFile(
        path,
        size,
        reading.head,
        reading.places,
        reading.steps,
        reading.near,
        reading.epochs,
        end == size,
    )


class _Reading:
    """What has been read so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.head: dict[str, Any] | None = None
        self.places: tuple[TracePlace, ...] = ()
        self.steps: dict[int, TracedStep] = {}
        self.near: dict[int, Near] = {}
        self.epochs: dict[int, dict[str, Any]] = {}

    def take(self, stored: Stored, number: int, file: Any) -> None:
        """Take a record, or raise with its number and place."""
        if (stored.kind == "HEAD") != (number == 1):
            raise self._wrong(stored, number, "a trace has one HEAD, at its beginning")
        try:
            getattr(self, f"_{stored.kind.lower()}")(stored, file)
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise self._wrong(stored, number, f"{type(error).__name__}: {error}") from None

    def _wrong(self, stored: Stored, number: int, got: str) -> CheckpointError:
        return CheckpointError(
            f"a record {stored.kind} is not as the format says",
            where=f"{self.path}: record {number}, at byte {stored.begin}",
            got=got[:300],
            hint="The file was written by another version, or is damaged.",
        )

    def _head(self, stored: Stored, file: Any) -> None:
        if stored.fields["format"] != FORMAT:
            raise ValueError(f"format {stored.fields['format']!r}; this version reads {FORMAT!r}")
        for name in ("every", "every_epochs"):
            if not 1 <= int(stored.fields[name]) <= 2**53:
                raise ValueError(f"{name} = {stored.fields[name]!r}")
        self.head = stored.fields

    def _spot(self, stored: Stored, file: Any) -> None:
        if self.places:
            raise ValueError("the places are listed twice")
        self.places = from_json(stored.fields["places"])
        if len(set(self.places)) < len(self.places):
            raise ValueError("a place is listed twice")

    def _numbers(self, stored: Stored, file: Any, count: int) -> npt.NDArray[np.float64]:
        if stored.length != 8 * count:
            raise ValueError(f"{stored.length} bytes of numbers, expected {8 * count}")
        file.seek(stored.numbers)
        return np.frombuffer(file.read(stored.length), "<f8").astype(np.float64)

    def _step(self, stored: Stored, file: Any) -> None:
        step = _number(stored.fields["step"])
        rows = self._numbers(stored, file, len(self.places) * WIDTH).reshape(-1, WIDTH)
        batch = stored.fields["batch"]
        if batch is not None:
            rows_of_batch = tuple(map(str, batch["rows"]))
            batch = {
                "size": _number(batch["size"]),
                "rows": rows_of_batch,
                "together": str(batch["together"]),
            }
        if step in self.steps:
            raise ValueError(f"step {step} is there twice")
        self.steps[step] = TracedStep(step, rows, batch)

    def _tens(self, stored: Stored, file: Any) -> None:
        fields = stored.fields
        shape = [_number(size) for size in fields["shape"]]
        if fields["dtype"] not in DTYPES:
            raise ValueError(f"dtype {fields['dtype']!r}")
        if math.prod(shape) * np.dtype(fields["dtype"]).itemsize != stored.length:
            raise ValueError(f"{stored.length} bytes for shape {shape}")
        key = (str(fields["stage"]), str(fields["where"]))
        self.steps[_number(fields["step"])].tensors[key] = stored

    def _near(self, stored: Stored, file: Any) -> None:
        scales = tuple(float(scale) for scale in stored.fields["scales"])
        if not scales or sorted(scales) != list(scales) or min(scales) <= 0:
            raise ValueError(f"scales {scales}")
        moved = self._numbers(stored, file, len(scales) * len(self.places))
        step = _number(stored.fields["step"])
        free = tuple(map(str, stored.fields["free"]))
        self.near[step] = Near(step, scales, moved.reshape(len(scales), -1), free)

    def _epoc(self, stored: Stored, file: Any) -> None:
        fields = stored.fields
        logs = {str(name): float(value) for name, value in fields["logs"].items()}
        self.epochs[_number(fields["epoch"])] = {"step": _number(fields["step"]), "logs": logs}


def _number(given: Any) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given <= 2**53:
        raise ValueError(f"{given!r} is no number of 0 or more")
    return given

"""`TraceWriter`: write a trace to one file of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.files import atomic_file, writable_target
from dnnbridge.errors import DataError
from dnnbridge.formats.traces.places import TracePlace, as_json
from dnnbridge.formats.traces.reading import TraceFile, read_trace
from dnnbridge.formats.traces.records import MAGIC, Stored, encoded, records
from dnnbridge.formats.traces.statistics import WIDTH, Row

LEAST = 4
"""A step may have this part of the bound: fewer steps are no trace of a training."""


class Tensor(NamedTuple):
    """A whole array of a step."""

    place: TracePlace
    array: Array


class TraceWriter:
    """Appends records, and thins them out when the file would exceed its bound.

    Then every second recorded step goes, and `every` doubles; so does every second epoch. The file
    is replaced as a whole, and the new one lies beside it until then.

    Args:
        path: file to write.
        every: distance of recorded steps.
        max_bytes: bound of the file.
        head: what the training is, as JSON types.
    """

    def __init__(self, path: Path, every: int, max_bytes: int, head: Mapping[str, Any]) -> None:
        self.path, self.max_bytes = writable_target(path), max_bytes
        self.every, self.every_epochs, self.head = every, 1, dict(head)
        self.places: tuple[TracePlace, ...] = ()
        self.size = 0

    def start(self) -> None:
        """Begin a new file."""
        self.size = self.path.write_bytes(MAGIC + self._head())

    def resume(self, step: int) -> TraceFile:
        """Go on with an existing file; what it has from a step on, counted from 0, goes.

        Raises:
            CheckpointError: the file is damaged.
        """
        found = read_trace(self.path)
        self.every, self.every_epochs = found.every, found.every_epochs
        self.head = found.head | {k: v for k, v in self.head.items() if k not in found.head}
        self.places = found.places
        self._rewrite(lambda stored: _step_of(stored) <= step)
        return found

    def _head(self) -> bytes:
        return encoded("HEAD", self.head | {"every": self.every, "every_epochs": self.every_epochs})

    def takes(self, step: int) -> bool:
        """Whether a step, counted from 1, is to be recorded."""
        return (step - 1) % self.every == 0

    def step(
        self,
        step: int,
        rows: Mapping[TracePlace, Row],
        batch: Mapping[str, Any] | None,
        tensors: Sequence[Tensor] = (),
        near: Mapping[str, Any] | None = None,
    ) -> None:
        """Append a step.

        Args:
            step: its number, counted from 1.
            rows: a row for each place, always the same places.
            batch: the fingerprint of the batch.
            tensors: whole arrays.
            near: what `NEAR` has: how far small changes of the state move each place.

        Raises:
            DataError: the places are others than before, or the bound is too small for a step.
        """
        made = [] if self.places else [encoded("SPOT", {"places": as_json(tuple(rows))})]
        self.places = self.places or tuple(rows)
        if tuple(rows) != self.places:
            raise DataError(
                "a trace has the same layers and arrays in all steps",
                where=str(self.path),
                got="others than the file has",
                hint="Give this training a file of its own.",
            )
        numbers = np.stack([*rows.values()]) if rows else np.zeros((0, WIDTH))
        fields = {"step": step, "batch": batch}
        made.append(encoded("STEP", fields, numbers.astype("<f8").tobytes()))
        for tensor in tensors:
            made.append(_tensor(step, tensor))
        if near is not None:
            sizes = np.asarray(near["moved"], "<f8")
            about = {"step": step, "scales": [*near["scales"]], "free": [*near["free"]]}
            made.append(encoded("NEAR", about, sizes.tobytes()))
        what = f"a recorded step of {len(rows)} places"
        self._append(b"".join(made), what, lambda: self.takes(step))

    def epoch(self, epoch: int, step: int, logs: Mapping[str, float]) -> None:
        """Append losses and metrics of an epoch, counted from 0, that ends after so many steps."""
        if epoch % self.every_epochs == 0:
            fields = {"epoch": epoch, "step": step, "logs": dict(logs)}
            self._append(
                encoded("EPOC", fields), "an epoch", lambda: epoch % self.every_epochs == 0
            )

    def _append(self, content: bytes, what: str, stays: Callable[[], bool]) -> None:
        """Append records, unless they leave the file with those that make room for them."""
        if len(content) + len(self._head()) > self.max_bytes // LEAST:
            raise DataError(
                f"is too small for {what}: at most a quarter of it may be one step",
                where="max_bytes",
                got=f"{self.max_bytes}, and a step has {len(content)} bytes",
                hint="Give more, or record fewer tensors.",
            )
        while self.size + len(content) > self.max_bytes:
            self._thin()
            if not stays():
                return
        with self.path.open("ab") as file:
            self.size += file.write(content)

    def _thin(self) -> None:
        """Leave out every second step and epoch."""
        self.every, self.every_epochs = 2 * self.every, 2 * self.every_epochs
        self._rewrite(self._stays)

    def _stays(self, stored: Stored) -> bool:
        if stored.kind == "EPOC":
            return int(stored.fields["epoch"]) % self.every_epochs == 0
        return self.takes(_step_of(stored))

    def _rewrite(self, stays: Callable[[Stored], bool]) -> None:
        """Replace the file by one with some of its records."""
        before = self.path.stat().st_size
        with self.path.open("rb") as old, atomic_file(self.path) as new:
            new.write(MAGIC)
            new.write(self._head())
            for stored in records(old, self.path, before):
                if stored.kind == "SPOT" or (stored.kind != "HEAD" and stays(stored)):
                    old.seek(stored.begin)
                    new.write(old.read(stored.size))
        self.size = self.path.stat().st_size


def _step_of(stored: Stored) -> int:
    return int(stored.fields.get("step", 0))


def _tensor(step: int, tensor: Tensor) -> bytes:
    array = np.asarray(tensor.array)
    array = array.astype(array.dtype.newbyteorder("<"))
    place = tensor.place
    fields = {
        "step": step,
        "stage": place.stage,
        "where": place.where,
        "dtype": array.dtype.name,
        "shape": list(array.shape),
    }
    return encoded("TENS", fields, np.ascontiguousarray(array).tobytes())

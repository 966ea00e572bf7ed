"""`Trained`: what a report is told of a training, from a run, a history or a file."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dnnbridge.base.files import check_is_file
from dnnbridge.callbacks.csv_logger import MISSING
from dnnbridge.convert.inspecting import inspect
from dnnbridge.errors import DataError
from dnnbridge.training.checkpoint import load
from dnnbridge.training.history import History
from dnnbridge.training.run import Run


@dataclass(frozen=True, eq=False)
class Trained:
    """A training as a report sees it.

    Attributes:
        rows: a row for each epoch: its number from 0 as "epoch", losses and metrics.
        step_losses: the loss of every step of the last call of `fit`, where it is known.
        steps_before: how many steps the run had trained before that call.
        run: the run, with its spec and its weights; None if only numbers are known.
        backend: the backend that trained it; empty if it is not known.
        notes: sentences about what could not be read.
    """

    rows: tuple[dict[str, Any], ...]
    step_losses: tuple[float, ...] = ()
    steps_before: int = 0
    run: Run | None = None
    backend: str = ""
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, source: Run | History) -> Trained:
        """Return what a run or a history knows."""
        if isinstance(source, History):
            return cls(tuple(source.rows()), tuple(source.step_losses))
        steps = tuple(source.history.step_losses)
        before = max(source.position.step - len(steps), 0)
        return cls(tuple(source.logs), steps, before, source, source.backend)


def read_trained(path: Path, make: Callable[[Path], Run] = load) -> Trained:
    """Return what a file knows: a checkpoint, or a CSV file of `CSVLogger`.

    Args:
        path: a file whose name ends with .csv, or a checkpoint.
        make: loads a checkpoint.

    Raises:
        DataError: a CSV file is not one of `CSVLogger`.
        CheckpointError: the file does not exist, or is no checkpoint.
    """
    if path.suffix.lower() == ".csv":
        return _of_csv(path)
    trained = Trained.of(make(path))
    return replace(trained, backend=inspect(path).facts.get("written by", ""))


def _of_csv(path: Path) -> Trained:
    check_is_file(path, DataError)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            head = file.readline().rstrip("\r\n")
            separator = head.removeprefix("epoch")[:1]
            if not head.startswith("epoch") or separator.isalnum():
                raise ValueError(f"the first line is {head[:60]!r}")
            names = next(csv.reader([head], delimiter=separator or ","))
            lines = list(csv.reader(file, delimiter=separator or ","))
        rows = [_row(names, line) for line in lines if line]
    except (ValueError, csv.Error, StopIteration) as error:
        raise DataError(
            "is no CSV file of losses and metrics",
            where=str(path),
            got=str(error),
            hint="Give a file that CSVLogger has written, or a checkpoint of run.save.",
        ) from None
    last = {row["epoch"]: row for row in rows}  # a training that went back trains epochs again
    earlier = len(rows) - len(last)
    note = f"{earlier} rows of epochs that a later row repeats are left out."
    return Trained(tuple(last.values()), notes=(note,) if earlier else ())


def _row(names: Sequence[str], line: Sequence[str]) -> dict[str, Any]:
    """Return a line as numbers by name; what is missing or no number is left out."""
    if len(line) != len(names):
        raise ValueError(f"a line has {len(line)} values for {len(names)} columns")
    row: dict[str, Any] = {"epoch": int(line[0])}
    for name, text in zip(names[1:], line[1:], strict=True):
        if text != MISSING and (value := _number(text)) is not None:
            row[name] = value
    return row


def _number(text: str) -> float | None:
    """Return a number; None for a list, such as a confusion matrix."""
    if text.startswith("["):
        return None
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no number") from None

"""`CSVLogger`: write losses and metrics to a file, a row for each epoch."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from dnnbridge.base.calling import explained
from dnnbridge.base.file_errors import told
from dnnbridge.base.files import as_path, writable_target
from dnnbridge.errors import ArgumentError
from dnnbridge.training.callbacks import Callback
from dnnbridge.training.checking.data import check_bool
from dnnbridge.training.history import Logs

if TYPE_CHECKING:
    from dnnbridge.training.run import Run

MISSING = "NA"
"""What stands for a metric that an epoch does not have, as in Keras."""


class CSVLogger(Callback):
    """Write losses and metrics to a CSV file, a row for each epoch, as in Keras.

    Metrics of validation have columns in any case, with "NA" in epochs without validation. A row
    is on the disk when its epoch ends.

    Args:
        filename: file to write.
        separator: what stands between two values.
        append: go on with an existing file, whose columns stay.

    Example:
        >>> import dnnbridge as db, tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "log.csv"
        >>> model = db.Sequential([db.Input((1,)), db.Dense(1, kernel_initializer="zeros")])
        >>> run = db.compile(db.Experiment(model, "mse", db.SGD(0.0)), "reference")
        >>> _ = run.fit([[1.0]], [[2.0]], epochs=2, callbacks=[CSVLogger(path)], verbose=0)
        >>> print(path.read_text().strip())
        epoch,loss,val_loss
        0,4.0,NA
        1,4.0,NA
    """

    first_worker_only = True

    @explained(name="CSVLogger")
    def __init__(self, filename: str | Path, separator: str = ",", append: bool = False) -> None:
        check_bool(append, "CSVLogger.append")
        self.filename = as_path(filename, "CSVLogger.filename")
        if not isinstance(separator, str) or len(separator) != 1 or separator in '\r\n"':
            raise ArgumentError(
                "must be one character, and no quote or end of a line",
                where="CSVLogger.separator",
                got=repr(separator),
                hint='Write separator=",".',
            )
        self.separator, self.append = separator, append
        self._file: IO[str] | None = None
        self._columns: list[str] = []

    def on_train_begin(self, run: Run, epochs: int, steps_per_epoch: int) -> None:
        self._columns = self._known() if self.append else []
        mode = "a" if self.append else "w"
        writable_target(self.filename, regular=False)
        with told("cannot be written", self.filename):
            self._file = self.filename.open(mode, encoding="utf-8", newline="")

    def _known(self) -> list[str]:
        """Return the columns of an existing file."""
        if not self.filename.exists():
            return []
        with self.filename.open(encoding="utf-8", newline="") as file:
            return next(csv.reader(file, delimiter=self.separator), [])

    def on_epoch_end(self, run: Run, epoch: int, logs: Logs) -> None:
        row: dict[str, Any] = {"epoch": epoch, **logs}
        if not self._columns:
            names = sorted(logs)
            validated = any(name.startswith("val_") for name in names)
            later = [] if validated else [f"val_{name}" for name in names]
            self._columns = ["epoch", *names, *later]
            self._write(dict(zip(self._columns, self._columns, strict=True)))
        self._write({name: row.get(name, MISSING) for name in self._columns})

    def _write(self, row: dict[str, Any]) -> None:
        file = self._file
        if file is not None:
            with told("cannot be written", self.filename):
                csv.DictWriter(file, self._columns, delimiter=self.separator).writerow(row)
                file.flush()

    def on_train_end(self, run: Run) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            with told("cannot be written", self.filename):
                file.close()

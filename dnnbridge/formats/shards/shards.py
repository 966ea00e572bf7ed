"""`Shards`: named arrays whose rows lie in several files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dnnbridge.base.calling import explained
from dnnbridge.base.messages import close_match
from dnnbridge.errors import DataError
from dnnbridge.formats.shards.agreeing import Paths, arrays_of, check_together, files_of
from dnnbridge.formats.shards.rows import ShardRows


class Shards(Mapping[str, ShardRows]):
    """Named arrays whose rows lie in several files, called shards; rows are read by number.

    `fit` takes an array of it as it takes `np.memmap`: it reads the rows of a batch, shuffles
    examples by the seed, and goes on by number. Only headers are read here. At most 64 files are
    open at a time, and none is held in memory.

    The rows of the second file follow those of the first. Files of a folder or a pattern are in
    the order of their names, so write `train-009` rather than `train-9`. Files may have different
    numbers of rows; within a file all arrays have equally many. Every file has arrays of the same
    names, dtypes and sizes of a row.

    Args:
        paths: a folder, a pattern of names ("train-*.npz"), a file, or a list of files: `.npz` of
            `numpy.savez` (not compressed) or `.safetensors`. Or, for `.npy`, which has one array
            without a name: a dictionary from names to these, such as `{"x": "x-*.npy", "y":
            "y-*.npy"}`. Its k-th files belong together.

    Raises:
        DataError: there are no such files, or one is damaged, compressed or unlike the first.
        DTypeError: two files have another dtype.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> import numpy as np
        >>> import dnnbridge as db
        >>> model = db.Sequential([db.Input((4,)), db.Dense(1)])
        >>> run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
        >>> with TemporaryDirectory() as folder:
        ...     for k in range(3):
        ...         rows = np.full((50, 4), k / 3)
        ...         np.savez(f"{folder}/train-{k}.npz", x=rows, y=rows[:, :1])
        ...     shards = db.Shards(f"{folder}/train-*.npz")
        ...     history = run.fit(shards["x"], shards["y"], batch_size=25, verbose=0)
        >>> shards["x"].shape, len(history.step_losses)
        ((150, 4), 6)
    """

    @explained()
    def __init__(self, paths: Paths | Mapping[str, Paths]) -> None:
        named = paths if isinstance(paths, Mapping) else {"": paths}
        columns = {name: files_of(given, name) for name, given in named.items()}
        columns = columns or {"": files_of([], "")}
        self._arrays: dict[str, ShardRows] = {}
        for name, files in columns.items():
            self._arrays |= arrays_of(files, name)
        self.paths = [path for files in columns.values() for path in files]
        if isinstance(paths, Mapping):
            check_together(self._arrays, columns)

    def __getitem__(self, name: str) -> ShardRows:
        """Return an array by its name.

        Raises:
            DataError: there is none of this name.
        """
        if name in self._arrays:
            return self._arrays[name]
        raise DataError(
            "has no such array",
            where=str(self.paths[0]),
            got=repr(name),
            hint=close_match(name, self._arrays),
        )

    def get(self, name: str, default: Any = None) -> Any:
        """Return an array by its name, or the default."""
        return self._arrays.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._arrays

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        arrays = ", ".join(f"{rows.name} {rows.shape}" for rows in self._arrays.values())
        return f"<Shards: {arrays}; {len(self.paths)} files>"

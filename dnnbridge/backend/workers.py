"""`Workers`: who computes the parts of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.emit.declarations import MASK
from dnnbridge.graph import BATCH, Value
from dnnbridge.program.objectives import WEIGHTS
from dnnbridge.program.program import Function


@dataclass(frozen=True)
class Workers:
    """The workers of a training, and which of them this process is.

    Worker r of n has rows r·m to (r+1)·m of a batch of b rows, with m = b/n rounded up. Rows that
    are added at the end have mask and weight 0, so they count nowhere.

    Attributes:
        count: how many there are.
        rank: the number of this one, from 0; None if this process has all of them.
        sync_batch_norm: whether each BatchNormalization has the statistics of the whole batch, as
            with one worker, and not those of a worker's rows.

    Example:
        >>> Workers(4, 1).rows(10)
        slice(3, 6, None)
    """

    count: int
    rank: int | None = None
    sync_batch_norm: bool = True

    def size(self, batch: int) -> int:
        """Return the rows of each worker."""
        return -(-batch // self.count)

    def rows(self, batch: int, rank: int | None = None) -> slice:
        """Return the rows of a worker, by default of this one, in a batch that was padded."""
        m, r = self.size(batch), self.rank if rank is None else rank
        assert r is not None
        return slice(r * m, (r + 1) * m)

    def part(
        self, function: Function, feeds: Mapping[str, Any], rank: int | None = None
    ) -> dict[str, Any]:
        """Return a worker's part of the stacked feeds of a function."""
        return {value.name: self._part(value, feeds[value.name], rank) for value in function.feeds}

    def numbers(self, batch: int, rank: int | None = None) -> Array:
        """Return the numbers of a worker's rows; a row that is added is the last one again."""
        rows = self.rows(batch, rank)
        return np.minimum(np.arange(rows.start, rows.stop), batch - 1)

    def _part(self, value: Value, array: Any, rank: int | None) -> Any:
        if BATCH not in value.shape or not isinstance(array, np.ndarray):
            return array  # rows that are on the device are this worker's own
        axis = value.shape.index(BATCH) + 1  # the first axis is the step
        batch = array.shape[axis]
        part = np.take(array, self.numbers(batch, rank), axis)
        if value.name == MASK or value.name.startswith(WEIGHTS):
            real = max(batch - self.rows(batch, rank).start, 0)
            part[(slice(None),) * axis + (slice(real, None),)] = 0
        return part

"""`Divided`: an executable of one of several workers, which is fed whole batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from dnnbridge.backend.protocol import Backend, Executable, ParallelBackend, Rows
from dnnbridge.backend.workers import Workers
from dnnbridge.base.arrays import Array
from dnnbridge.base.cluster import this_cluster
from dnnbridge.errors import BackendError
from dnnbridge.program.program import Program
from dnnbridge.training.checking.data import check_bool


class Divided:
    """Gives an executable the rows of its worker.

    Every worker prepares whole batches, as one worker does. So batches, shuffles and random numbers
    do not depend on the number of workers.

    Args:
        program: the divided program.
        inner: the executable that is given a worker's part.
        workers: which worker this is.
    """

    def __init__(self, program: Program, inner: Executable, workers: Workers) -> None:
        self._program, self._inner, self._workers = program, inner, workers

    @property
    def compilations(self) -> int:
        return self._inner.compilations

    def run(self, function: str, feeds: Mapping[str, Any], steps: int) -> dict[str, Array]:
        described = self._program.functions[function]
        if described.divided:
            feeds = self._workers.part(described, feeds)
        return self._inner.run(function, feeds, steps)

    def keep(self, arrays: Mapping[str, Array]) -> Rows | None:
        rows = self._inner.keep(arrays)
        if rows is None:
            return None

        def own(index: Array) -> Mapping[str, Any]:
            return rows(np.take(index, self._workers.numbers(index.shape[1]), 1))

        return own

    def read(self) -> dict[str, Array]:
        return self._inner.read()

    def write(self, values: Mapping[str, Array]) -> None:
        self._inner.write(values)


def compile_part(backend: Backend, program: Program, device: str, workers: Workers) -> Executable:
    """Compile a divided program for one worker, or for all of them in this process."""
    made = cast(ParallelBackend, backend).compile_part(program, device, workers)
    return made if workers.rank is None else Divided(program, made, workers)


def check_workers(backend: Backend, workers: Workers) -> None:
    """Raise unless a backend can divide batches among these workers."""
    kind = "devices" if workers.rank is None else "processes"
    if kind in backend.info.workers:
        return
    other = {
        "devices": "Start several processes: dnnbridge launch -n 2 -- python program.py",
        "processes": "Write compile(experiment, workers=2) in a program of one process.",
    }
    can = backend.info.workers
    raise BackendError(
        f"backend {backend.info.name} cannot divide a batch among several {kind}",
        where="workers",
        got=f"{workers.count}",
        hint=other[kind] if can else "Use tensorflow or mindspore.",
    )


def checked_workers(count: int | None, sync_batch_norm: bool) -> Workers | None:
    """Return the workers of a run: the processes that were started together, or those asked for.

    Args:
        count: as in `compile`.
        sync_batch_norm: as in `compile`.

    Returns:
        None for one worker.
    """
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        raise BackendError("must be a whole number from 1 on", where="workers", got=repr(count))
    check_bool(sync_batch_norm, "sync_batch_norm")
    cluster = this_cluster()
    if count == 1 or (count is None and (cluster is None or cluster.count == 1)):
        return None
    if cluster is None:
        return Workers(count or 1, None, sync_batch_norm)
    if count not in (None, cluster.count):
        raise BackendError(
            f"the program was started with {cluster.count} workers",
            where="workers",
            got=str(count),
            hint="Leave workers out for all of them, or write 1 for a run of this process alone.",
        )
    return Workers(cluster.count, cluster.rank, sync_batch_norm)

"""`SimulatedWorkers`: all workers of a training in one process, in float64.

Each worker is a thread with its own arrays. They wait for each other at every sum. So this is what
several processes must compute, without their rounding.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from dnnbridge.backend.protocol import Executable
from dnnbridge.backend.workers import Workers
from dnnbridge.base.arrays import Array
from dnnbridge.errors import StateError
from dnnbridge.graph import Op
from dnnbridge.ops import AllReduceGradient, AllReduceSum
from dnnbridge.ops.rule import Rule
from dnnbridge.program.program import Program

Rules = Mapping[type[Op], Rule]


class SimulatedWorkers:
    """The workers of a program, each an executable with its own arrays.

    Args:
        program: the divided program.
        workers: how many there are.
        make: makes the executable of a worker from the rules of the sums.
    """

    compilations = 0

    def __init__(
        self, program: Program, workers: Workers, make: Callable[[Rules], Executable]
    ) -> None:
        self._program, self._workers = program, workers
        self._table = _Table(workers.count)
        self._each = [make(self._table.rules(rank)) for rank in range(workers.count)]

    def run(self, function: str, feeds: Mapping[str, Any], steps: int) -> dict[str, Array]:
        described = self._program.functions[function]
        if not described.divided:
            return self._each[0].run(function, feeds, steps)

        def of(rank: int) -> dict[str, Array]:
            try:
                part = self._workers.part(described, feeds, rank)
                return self._each[rank].run(function, part, steps)
            except BaseException:
                self._table.leave()
                raise

        with ThreadPoolExecutor(self._workers.count) as pool:
            running = [pool.submit(of, rank) for rank in range(self._workers.count)]
        errors = [error for each in running if (error := each.exception()) is not None]
        for error in errors:
            if not isinstance(error, threading.BrokenBarrierError):
                raise error
        results = [each.result() for each in running]
        _require_equal(results, "results")
        return results[0]

    def keep(self, arrays: Mapping[str, Array]) -> None:
        return None

    def read(self) -> dict[str, Array]:
        """Return the arrays of a worker, which must be those of all of them."""
        found = [each.read() for each in self._each]
        _require_equal(found, "arrays")
        return found[0]

    def write(self, values: Mapping[str, Array]) -> None:
        for each in self._each:
            each.write(values)


class _Table:
    """Where workers put their numbers and read those of the others."""

    def __init__(self, count: int) -> None:
        self._given: list[Array] = [np.zeros(())] * count
        self._barrier = threading.Barrier(count)

    def rules(self, rank: int) -> Rules:
        def total(x: Array) -> Array:
            self._given[rank] = x
            self._barrier.wait()
            made = np.sum(self._given, 0)  # in the same order everywhere
            self._barrier.wait()
            return np.asarray(made)

        return {
            AllReduceSum: Rule(lambda op, x: total(x), lambda op, xs, y, dy: (dy,)),
            AllReduceGradient: Rule(lambda op, x: x, lambda op, xs, y, dy: (total(dy),)),
        }

    def leave(self) -> None:
        """Let the other workers fail instead of waiting."""
        self._barrier.abort()


def _require_equal(found: list[dict[str, Array]], what: str) -> None:
    """Raise if workers have different numbers: something was computed from a part alone."""
    for name, array in found[0].items():
        if any(not np.array_equal(array, other[name], equal_nan=True) for other in found[1:]):
            raise StateError(f"workers have different {what}", where=name)

"""Run a program step by step on NumPy arrays, for backends that evaluate eagerly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from dnnbridge.backend.lower_types import computed_in_float32
from dnnbridge.base.arrays import Array
from dnnbridge.base.interrupts import unchanged
from dnnbridge.graph import REAL, Graph, TensorType, inline
from dnnbridge.program.program import Program


class StepwiseExecutable:
    """An `Executable` that keeps the state in float64 and evaluates a flat graph per step.

    Args:
        program: the program to run.
        outputs_of: returns the outputs of a flat graph, given an array for each input.
    """

    compilations = 0

    def __init__(
        self, program: Program, outputs_of: Callable[[Graph, list[Array]], Sequence[Array]]
    ) -> None:
        self._outputs_of = outputs_of
        self._functions = program.functions
        self._graphs = {
            name: computed_in_float32(inline(f.graph), ()) for name, f in program.functions.items()
        }
        self._state = {name: np.zeros(array.shape) for name, array in program.state.items()}

    def run(self, function: str, feeds: Mapping[str, Array], steps: int) -> dict[str, Array]:
        described = self._functions[function]
        state = dict(self._state)
        with unchanged():
            rows = [self._step(function, feeds, k, state) for k in range(steps)]
            columns = [np.stack(column) for column in zip(*rows, strict=True)]
        self._state = state  # after an interrupt, no step has changed the state
        return dict(zip(described.results, columns, strict=True))

    def keep(self, arrays: Mapping[str, Array]) -> None:
        return None  # NumPy arrays need no copy

    def read(self) -> dict[str, Array]:
        return {name: array.copy() for name, array in self._state.items()}

    def write(self, values: Mapping[str, Array]) -> None:
        self._state |= {name: np.array(value, np.float64) for name, value in values.items()}

    def _step(
        self, function: str, feeds: Mapping[str, Array], k: int, state: dict[str, Array]
    ) -> list[Array]:
        """Run one step and change `state`."""
        graph, described = self._graphs[function], self._functions[function]
        inputs = [
            state[described.state[v]] if v in described.state else _real(feeds[v.name][k], v.type)
            for v in graph.inputs
        ]
        with np.errstate(all="ignore"):
            outputs = list(self._outputs_of(graph, inputs))
        count = len(described.results)
        state |= dict(zip(described.writes, outputs[count:], strict=True))
        return outputs[:count]


def _real(array: Array, type: TensorType) -> Array:
    return np.asarray(array, np.float64 if type.dtype in REAL else type.dtype)

"""The reference backend: NumPy float64, the living definition of every number."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dnnbridge.backend.protocol import Claim, Deviation, Limitation
from dnnbridge.base.arrays import Array
from dnnbridge.base.interrupts import unchanged
from dnnbridge.graph import Op, TensorType, inline
from dnnbridge.program.program import Program
from dnnbridge.reference.interpreter import RULES, Watch, evaluate
from dnnbridge.reference.plugin import INFO


class ReferenceBackend:
    """Runs programs in NumPy; nothing to install, slow, exact to float64.

    Attributes:
        watch: is shown what is differentiated, as it is computed.
    """

    info = INFO
    lowered: frozenset[type[Op]] = frozenset(RULES)
    claims: Mapping[type, Claim] = {}
    limitations: tuple[Limitation, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    watch: Watch | None = None

    def devices(self) -> tuple[str, ...]:
        return ("cpu",)

    def compile(self, program: Program, device: str) -> ReferenceExecutable:
        return ReferenceExecutable(program, self.watch)


class ReferenceExecutable:
    """A program and its state in float64."""

    compilations = 0

    def __init__(self, program: Program, watch: Watch | None = None) -> None:
        self._watch = watch
        self._functions = program.functions
        self._graphs = {name: inline(f.graph) for name, f in program.functions.items()}
        self._state = {name: np.zeros(array.shape) for name, array in program.state.items()}

    def run(self, function: str, feeds: Mapping[str, Array], steps: int) -> dict[str, Array]:
        described = self._functions[function]
        state = dict(self._state)
        with unchanged():
            rows = [self._step(function, feeds, k, state) for k in range(steps)]
            columns = [np.stack(column) for column in zip(*rows, strict=True)]
        self._state = state  # all steps or, after an interrupt, none
        return dict(zip(described.results, columns, strict=True))

    def keep(self, arrays: Mapping[str, Array]) -> None:
        return None  # they are where it computes

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
            known = evaluate(graph, inputs, self._watch)
        outputs = [known[value] for value in graph.outputs]
        count = len(described.results)
        state |= dict(zip(described.writes, outputs[count:], strict=True))
        return outputs[:count]


def _real(array: Array, type: TensorType) -> Array:
    return np.asarray(array, np.float64 if type.dtype == "float32" else type.dtype)

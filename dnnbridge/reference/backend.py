"""The reference backend: NumPy float64; its numbers define the correct results."""

from __future__ import annotations

from collections.abc import Mapping

from dnnbridge.backend.protocol import Claim, Deviation, Limitation
from dnnbridge.backend.stepwise import StepwiseExecutable
from dnnbridge.backend.workers import Workers
from dnnbridge.graph import Op
from dnnbridge.ops import RULES
from dnnbridge.ops.float64 import Interpreter, Rounding, Watch
from dnnbridge.ops.rounding import rounded
from dnnbridge.ops.rule import Rule
from dnnbridge.program.program import Program
from dnnbridge.reference.plugin import INFO
from dnnbridge.reference.workers import SimulatedWorkers


class ReferenceBackend:
    """Runs programs in NumPy float64; slow, but accurate and without dependencies to install.

    Attributes:
        watch: called with each differentiated node before its evaluation.
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

    def compile_part(self, program: Program, device: str, workers: Workers) -> SimulatedWorkers:
        return SimulatedWorkers(
            program,
            workers,
            lambda rules: ReferenceExecutable(program, self.watch, {**RULES, **rules}),
        )


class ReferenceExecutable(StepwiseExecutable):
    """A program and its state in float64.

    Args:
        program: the program to run.
        watch: called with each differentiated node before its evaluation.
        rules: NumPy implementation of each operation.
        rounding: rounds numbers to those of a lower type.
    """

    def __init__(
        self,
        program: Program,
        watch: Watch | None = None,
        rules: Mapping[type[Op], Rule] = RULES,
        rounding: Rounding = rounded,
    ) -> None:
        super().__init__(program, Interpreter(rules, watch, rounding).outputs_of)

"""The reference with random roundings, which says how far float32 may be from float64.

Monte Carlo arithmetic (Parker, 1997): every operation that rounds sees its numbers, and gives its
result, off by a random relative error below half a spacing of float32. How far such a training is
from the exact one is what rounding alone does to this program, however it is conditioned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from dnnbridge.backend.protocol import Backend, Claim, Deviation, Limitation
from dnnbridge.base import randomness
from dnnbridge.base.arrays import Array
from dnnbridge.graph import Op
from dnnbridge.ops import RULES
from dnnbridge.ops.rule import Rule
from dnnbridge.program.program import Program
from dnnbridge.reference.backend import ReferenceExecutable
from dnnbridge.reference.plugin import INFO
from dnnbridge.testing.tolerances import EPSILON, SMALLEST

SAMPLES = 16
"""Random roundings of an equation, of which the furthest off counts."""


class RoundedBackend:
    """The reference, each of whose operations rounds at random.

    Args:
        sample: which draw of the roundings.
        fully: whether every rounding is by half a spacing, up or down, and none by less.
    """

    info = INFO
    lowered: frozenset[type[Op]] = frozenset(RULES)
    claims: Mapping[type, Claim] = {}
    limitations: tuple[Limitation, ...] = ()
    deviations: tuple[Deviation, ...] = ()

    def __init__(self, sample: int, fully: bool = False) -> None:
        self.sample, self.fully = sample, fully

    def devices(self) -> tuple[str, ...]:
        return ("cpu",)

    def compile(self, program: Program, device: str) -> ReferenceExecutable:
        return ReferenceExecutable(program, rules=self._rules())

    def _rules(self) -> dict[type[Op], Rule]:
        """Return the rules of the reference, with roundings of their own."""
        rng = randomness.generator(self.sample, "roundings")

        def drawn(shape: tuple[int, ...]) -> Array:
            return rng.integers(0, 2, shape) - 0.5 if self.fully else rng.uniform(-0.5, 0.5, shape)

        return {op: _rounding(rule, drawn) if op.rounds else rule for op, rule in RULES.items()}


def _rounding(rule: Rule, drawn: Callable[[tuple[int, ...]], Array]) -> Rule:
    """Round what a rule is given and what it gives."""

    def off(x: Array | None) -> Array | None:
        if x is None or x.dtype.kind != "f":
            return x
        return np.asarray(x * (1.0 + drawn(x.shape) * EPSILON))

    def given(xs: tuple[Array, ...]) -> list[Array]:
        return [np.asarray(off(np.asarray(x))) for x in xs]

    return Rule(
        lambda op, *xs: np.asarray(off(np.asarray(rule.forward(op, *given(xs))))),
        lambda op, xs, y, dy: tuple(
            off(None if each is None else np.asarray(each))
            for each in rule.vjp(op, tuple(given(xs)), y, given((dy,))[0])
        ),
    )


def units(run: Callable[[Backend], dict[str, Array]], exact: dict[str, Array]) -> dict[str, Array]:
    """Return what the error of each element of some results is measured in, to be relative.

    That is how far random roundings move it, in spacings of float32, and one spacing of its own;
    what is below `SMALLEST` may be read as 0. At most 1 + |x|, in which errors are measured
    otherwise: a number beside a kink is moved to the other side.

    Args:
        run: computes the results on a backend.
        exact: those of the reference.
    """
    samples = [run(RoundedBackend(sample, fully=True)) for sample in range(SAMPLES)]
    made = {}
    for name, e in exact.items():
        with np.errstate(invalid="ignore", over="ignore"):
            moved = [np.abs(sample[name] - e) for sample in samples]
            least = np.abs(e) + (np.max(moved, 0) + SMALLEST) / EPSILON
            made[name] = np.fmin(least, 1.0 + np.abs(e))
    return made

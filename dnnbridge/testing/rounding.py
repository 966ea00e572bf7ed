"""The reference with random roundings, which estimates how far float32 may be from float64.

Monte Carlo arithmetic (Parker, 1997): the inputs and the result of every operation that rounds get
a random relative error of at most half a spacing of float32. A number of a lower type gets one of
half a spacing of that type and is then rounded, so that it falls on a neighbour. The distance of
such a training from the exact one is the effect of rounding on this program, whatever its condition
number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from dnnbridge.backend.protocol import Backend, Claim, Deviation, Limitation
from dnnbridge.base import randomness
from dnnbridge.base.arrays import Array
from dnnbridge.graph import DType, Op
from dnnbridge.ops import RULES
from dnnbridge.ops.rounding import DIGITS, rounded
from dnnbridge.ops.rule import Rule
from dnnbridge.program.program import Program
from dnnbridge.reference.backend import ReferenceExecutable
from dnnbridge.reference.plugin import INFO
from dnnbridge.testing.tolerances import EPSILON, SMALLEST

SAMPLES = 16
"""Number of random roundings of an equation; the largest change of an element counts."""


class RoundedBackend:
    """The reference with random rounding errors in every operation.

    Args:
        sample: number of the random draw.
        fully: whether every error is a full half spacing, up or down, and never less.
        spacing: that of the numbers at 1.
    """

    info = INFO
    lowered: frozenset[type[Op]] = frozenset(RULES)
    claims: Mapping[type, Claim] = {}
    limitations: tuple[Limitation, ...] = ()
    deviations: tuple[Deviation, ...] = ()

    def __init__(self, sample: int, fully: bool = False, spacing: float = EPSILON) -> None:
        self.sample, self.fully, self.spacing = sample, fully, spacing

    def devices(self) -> tuple[str, ...]:
        return ("cpu",)

    def compile(self, program: Program, device: str) -> ReferenceExecutable:
        rng = randomness.generator(self.sample, "roundings")

        def drawn(shape: tuple[int, ...]) -> Array:
            return rng.integers(0, 2, shape) - 0.5 if self.fully else rng.uniform(-0.5, 0.5, shape)

        def neighbours(x: Array, dtype: DType) -> Array:
            return rounded(x * (1.0 + drawn(x.shape) * DIGITS[dtype].spacing), dtype)

        def scaled(shape: tuple[int, ...]) -> Array:
            return drawn(shape) * self.spacing

        rules = {op: _rounding(rule, scaled) if op.rounds else rule for op, rule in RULES.items()}
        return ReferenceExecutable(program, rules=rules, rounding=neighbours)


def _rounding(rule: Rule, drawn: Callable[[tuple[int, ...]], Array]) -> Rule:
    """Add rounding errors to the inputs and results of a rule."""

    def off(x: Array | None) -> Array | None:
        if x is None or x.dtype.kind != "f":
            return x
        return np.asarray(x * (1.0 + drawn(x.shape)))

    def given(xs: tuple[Array, ...]) -> list[Array]:
        return [np.asarray(off(np.asarray(x))) for x in xs]

    return Rule(
        lambda op, *xs: np.asarray(off(np.asarray(rule.forward(op, *given(xs))))),
        lambda op, xs, y, dy: tuple(
            off(None if each is None else np.asarray(each))
            for each in rule.vjp(op, tuple(given(xs)), y, given((dy,))[0])
        ),
    )


def units(
    run: Callable[[Backend], dict[str, Array]], exact: dict[str, Array], spacing: float = EPSILON
) -> dict[str, Array]:
    """Return the unit for the error of each element in a relative comparison.

    The unit is |x|, plus the largest change by random roundings and `SMALLEST`, both divided by
    the spacing. `SMALLEST` is included because backends may read smaller numbers as 0. The unit is
    at most 1 + |x|, the usual unit, because rounding can move a number across a kink.

    Args:
        run: computes the results on a backend.
        exact: results of the reference.
        spacing: that of the numbers at 1.
    """
    samples = [run(RoundedBackend(sample, True, spacing)) for sample in range(SAMPLES)]
    made = {}
    for name, e in exact.items():
        with np.errstate(invalid="ignore", over="ignore"):
            moved = [np.abs(sample[name] - e) for sample in samples]
            least = np.abs(e) + (np.max(moved, 0) + SMALLEST) / spacing
            made[name] = np.fmin(least, 1.0 + np.abs(e))
    return made

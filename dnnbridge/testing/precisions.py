"""Precisions: trainings within the roundings of their types, and roundings bit for bit."""

from __future__ import annotations

from functools import partial

from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.program.lowering import in_precision
from dnnbridge.testing.cases.precision_cases import PrecisionCase, RoundingCase
from dnnbridge.testing.harness import Equation, equation
from dnnbridge.testing.measurement import Measurement, same
from dnnbridge.testing.programs import measure_program
from dnnbridge.testing.subject import Subject

EXAMPLES = 5
"""Rows of a batch of whole numbers."""


def measure_precision(case: PrecisionCase, subject: Subject) -> list[Measurement]:
    """Compare each step of a training with the reference, which rounds where the table says."""
    return measure_program(case.experiment, subject)


def measure_roundings(case: RoundingCase, subject: Subject) -> list[Measurement]:
    """Compare values and gradients of whole numbers bit for bit."""
    built = rounding_equation(case)
    actual = built.run(subject.backend, subject.device)
    expected = subject.reference.once(("roundings", case), partial(_expected, built))
    return [same(actual[name], array, name) for name, array in expected.items()]


def rounding_equation(case: RoundingCase) -> Equation:
    """Return the equation of a case, with whole numbers for every input and weight."""

    def write(scope: Scope, x: Value) -> Value:
        return scope.call(case.layer, x, name="model")

    given = case.numbers("input", case.input.concrete(EXAMPLES))
    built = equation(write, [case.input], [given])
    feeds = {
        name: array if name in ("mask", "normalizer") else case.numbers(name, array.shape)
        for name, array in built.feeds.items()
    }
    return Equation(in_precision(built.program, case.precision), feeds)


def _expected(built: Equation, subject: Subject) -> dict[str, Array]:
    return built.run(subject.backend)

"""Precisions: trainings and operations within the roundings of their types; roundings in bits."""

from __future__ import annotations

from functools import partial

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.program.lowering import in_precision
from dnnbridge.program.precision import Float64
from dnnbridge.testing.cases.op_case import OpCase
from dnnbridge.testing.cases.precision_cases import PrecisionCase, RoundingCase
from dnnbridge.testing.harness import Equation, build_case, equation
from dnnbridge.testing.measurement import Measurement, close, same
from dnnbridge.testing.programs import measure_program
from dnnbridge.testing.redrawing import other_inputs
from dnnbridge.testing.rounding import units
from dnnbridge.testing.subject import Subject
from dnnbridge.testing.tolerances import DOUBLE_EPSILON, DOUBLE_SAMPLED, elementwise

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


def measure_in_float64(case: OpCase, subject: Subject) -> list[Measurement]:
    """Compare an operation in float64, with numbers that float32 does not have."""
    built = build_case(other_inputs(case, subject.seed), subject.seed)
    feeds = {n: np.asarray(_finer(array)) for n, array in built.feeds.items()}
    doubled = Equation(in_precision(built.program, Float64()), feeds)
    expected = doubled.run(subject.reference.backend)
    unit = units(doubled.run, expected, DOUBLE_SAMPLED) if case.relative else {}
    actual = doubled.run(subject.backend, subject.device)
    allowed = elementwise(case.reduced, DOUBLE_EPSILON)
    return [close(actual[n], e, allowed, n, unit=unit.get(n)) for n, e in expected.items()]


def _finer(array: Array) -> Array:
    """Change the digits of a number beyond those of float32; equal numbers stay equal."""
    return array.astype(np.float64) * (1.0 + 2.0**-30) if array.dtype.kind == "f" else array


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

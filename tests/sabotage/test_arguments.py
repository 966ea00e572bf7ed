"""Every argument of a spec matters: a backend that uses its default instead fails a case."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from dnnbridge.errors import ShapeError
from dnnbridge.specs.spec import Spec, family_of, kind_of
from dnnbridge.testing.cases.equation_cases import EQUATION_CASES
from dnnbridge.testing.cases.optimizer_cases import OPTIMIZER_CASES
from dnnbridge.testing.checks import all_checks
from dnnbridge.testing.harness import trajectory
from dnnbridge.testing.measurement import near
from sabotage.rewriting import emitted
from sabotage.row import HEALTHY, Sabotage

CHECKS = {f"{check.area}/{check.id}": check for check in all_checks()}

ELSEWHERE = (
    *("initializer", "regularizer", "constraint", "unit_forget_bias", "name", "weight_decay"),
    "fused",
)
"""Parts of names of fields that are not in the equation; trainings and witnesses check these."""

NO_MATTER = {
    "layer.GaussianSampling.kl_weight",  # a case with 0 is of evaluation
    "loss.Poisson.epsilon",  # not used with logarithms
    "metric.FBetaScore.beta",  # in the result, which tests/oracles/test_metrics.py compares
}


def changed_fields(spec):
    """Yield each field that is not at its default, and the spec with that field at its default."""
    for field in dataclasses.fields(spec):
        if field.default is dataclasses.MISSING or any(w in field.name for w in ELSEWHERE):
            continue
        try:
            other = spec.replace(**{field.name: field.default})
        except Exception:  # the default is not valid with the other fields
            continue
        if other != spec:
            yield field.name, other


def of_equations():
    """Return for every argument that a case sets the cases, and the specs without it."""
    found = {}
    for case in EQUATION_CASES:
        if isinstance(case.spec, Spec):
            for name, other in changed_fields(case.spec):
                found.setdefault(f"{kind_of(type(case.spec))}.{name}", []).append((case, other))
    return {name: rows for name, rows in found.items() if name not in NO_MATTER}


def of_optimizers():
    found = {}
    for case in OPTIMIZER_CASES:
        for name, other in changed_fields(case.optimizer):
            found.setdefault(f"{kind_of(type(case.optimizer))}.{name}", []).append((case, other))
    return found


def equation_differs(case, other):
    """Return whether the case fails if the other spec is compiled."""
    instead = emitted(lambda spec: other if spec == case.spec else spec)
    wrong = Sabotage("default", (), specs={type(case.spec): instead})
    check = CHECKS[f"{family_of(type(case.spec))}/{case.id}"]
    try:
        with np.errstate(all="ignore"):
            return not all(made.ok for made in check.measure(wrong.subject))
    except (AssertionError, KeyError, ValueError, ShapeError):
        return True  # arrays of other shapes


def trajectory_differs(case, other):
    """Return whether the other optimizer moves the parameter further away than is allowed."""
    given, backend = (case.start, case.gradients), HEALTHY.subject.backend
    found, expected = (trajectory(backend, o, *given) for o in (other, case.optimizer))
    return not all(near(found[n], a, case.tolerance, n).ok for n, a in expected.items())


EQUATIONS, OPTIMIZERS = of_equations(), of_optimizers()


@pytest.mark.parametrize("name", EQUATIONS)
def test_argument_of_an_equation_matters(name):
    assert any(equation_differs(*row) for row in EQUATIONS[name])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_argument_of_an_optimizer_matters(name):
    assert any(trajectory_differs(*row) for row in OPTIMIZERS[name])

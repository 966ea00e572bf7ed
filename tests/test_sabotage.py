"""The suite is tested: a backend that is wrong in one place fails the case that looks there."""

from __future__ import annotations

import numpy as np
import pytest

from dnnbridge import ops
from dnnbridge.reference import backend as reference_backend
from dnnbridge.reference.interpreter import RULES
from dnnbridge.reference.rules import Rule
from dnnbridge.schedules import PiecewiseConstant
from dnnbridge.testing.cases.equation_cases import EQUATION_CASES
from dnnbridge.testing.cases.op_cases import OP_CASES
from dnnbridge.testing.cases.schedule_cases import SCHEDULE_CASES, ScheduleCase
from dnnbridge.testing.checks import all_checks, measure_schedules
from dnnbridge.testing.subject import Subject


def value(change):
    """Sabotage the value of a rule and keep its derivative."""
    return lambda rule: Rule(lambda op, *xs: change(rule.forward(op, *xs), *xs), rule.vjp)


def gradient(change):
    """Sabotage the derivatives of a rule and keep its value."""
    return lambda rule: Rule(rule.forward, lambda *given: change(rule.vjp(*given)))


SABOTAGE = {
    "tanh off by 1e-4": (ops.Tanh, value(lambda y, x: y + 1e-4), "Tanh-wide"),
    "tanh 1 beyond 5": (ops.Tanh, value(lambda y, x: np.where(x > 5, 1, y)), "Tanh-wide"),
    "relu slope at 0": (ops.Relu, gradient(lambda d: (d[0] + 0.5,)), "Relu-wide"),
    "kernel transposed": (
        ops.MatMul,
        lambda rule: Rule(lambda op, x, w: x @ w.reshape(w.shape[::-1]).T, rule.vjp),
        "Dense",
    ),
    "bias dropped": (ops.Add, value(lambda y, a, b: a if b.ndim == 1 else y), "Dense"),
    "mean over all": (ops.ReduceMean, value(lambda y, x: y * 0 + x.mean()), "mse"),
    "softplus 0 below -15": (
        ops.Softplus,
        value(lambda y, x: np.where(x < -10, 0.0, y)),
        "Softplus-wide",
    ),
    "last of equal maxima": (
        ops.ArgMax,
        lambda rule: Rule(
            lambda op, x: x.shape[op.axis] - 1 - np.flip(x, op.axis).argmax(op.axis), rule.vjp
        ),
        "Accuracy-ties",
    ),
    "half gradients at ties": (
        ops.Maximum,
        gradient(lambda d: (0.5 * (d[0] + d[1]), 0.5 * (d[0] + d[1]))),
        "Maximum-ties",
    ),
    "dropout not scaled": (ops.Mul, value(lambda y, a, b: a if b.ndim == 0 else y), "Dropout"),
    "clip passes its gradient": (ops.Clip, gradient(lambda d: (d[0] * 0 + 1,)), "huber"),
    "softplus a relu": (
        ops.Softplus,
        value(lambda y, x: np.where(x > 0, x, 0.0)),
        "binary-logits",
    ),
    "absolute slope 1 at 0": (
        ops.Abs,
        lambda rule: Rule(rule.forward, lambda op, xs, y, g: (np.where(xs[0] < 0, -g, g),)),
        "L1",
    ),
    "square root of 0 is 0.001": (ops.Sqrt, value(lambda y, x: y + 1e-3), "UnitNorm"),
    "norms over everything": (
        ops.ReduceSum,
        value(lambda y, x: np.broadcast_to(np.sum(x), y.shape)),
        "MaxNorm-kernel",
    ),
    "smaller of norm and limit": (ops.Minimum, value(lambda y, a, b: a), "MaxNorm"),
    "least norm of weights": (ops.Maximum, value(lambda y, a, b: a), "AdaptiveClip"),
    "mean over the units": (ops.ReduceMean, value(lambda y, x: y * 0), "CentralizeGradients"),
    "transposed wrongly": (
        ops.Transpose,
        value(lambda y, x: y[::-1]),
        "OrthogonalRegularizer-columns",
    ),
    "log unclipped": (ops.Clip, value(lambda y, x: x), "sparse-probabilities-sure"),
}

CHECKS = {check.id: check for check in all_checks()}


class Sabotaged(reference_backend.ReferenceBackend):
    """The reference with some of its rules changed."""

    def __init__(self, rules: dict) -> None:
        self.rules = rules

    def compile(self, program, device):
        executable = super().compile(program, device)
        run = executable.run

        def wrong(*given):
            saved = RULES.copy()
            RULES.update(self.rules)
            try:
                return run(*given)
            finally:
                RULES.update(saved)

        executable.run = wrong
        return executable


@pytest.mark.parametrize(("op", "change", "check"), SABOTAGE.values(), ids=SABOTAGE)
def test_sabotage_is_caught(op, change, check):
    CHECKS[check].require(Subject(Sabotaged({})))
    with np.errstate(all="ignore"), pytest.raises(AssertionError, match=check):
        CHECKS[check].require(Subject(Sabotaged({op: change(RULES[op])})))


def test_a_rate_that_is_off_by_its_last_bit_is_caught():
    cases = [SCHEDULE_CASES[0], ScheduleCase("last", PiecewiseConstant((99,), (0.1, 0.05)))]
    wrong = value(lambda y, a, b: np.nextafter(y, 1.0) if y == 0.05 else y)
    healthy, broken = (Subject(Sabotaged(r)) for r in ({}, {ops.Sub: wrong(RULES[ops.Sub])}))
    assert all(made.ok for made in measure_schedules(cases, 100, 50, healthy))
    found = measure_schedules(cases, 100, 50, broken)
    assert [made.what for made in found if not made.ok] == ["schedule.PiecewiseConstant last"]


def test_every_primitive_and_spec_has_a_case():
    from dnnbridge import (
        activations,
        constraints,
        gradient_rules,
        layers,
        loss_scale,
        losses,
        metrics,
        optimizers,
        regularizers,
        schedules,
        weight_decay,
    )
    from dnnbridge.specification import kinds
    from dnnbridge.testing.cases.optimizer_cases import OPTIMIZER_CASES
    from dnnbridge.testing.cases.training_cases import TRAINING_CASES

    assert {type(case.op) for case in OP_CASES} == set(ops.PRIMITIVES)
    covered = {type(case.subject) for case in EQUATION_CASES}
    covered |= {type(case.optimizer) for case in OPTIMIZER_CASES}
    covered |= {type(case.schedule) for case in SCHEDULE_CASES}
    for experiment in (case.experiment for case in TRAINING_CASES):
        covered |= {type(experiment.loss_scale), type(experiment.optimizer.weight_decay)}
    for base in (
        activations.AbstractActivation,
        layers.AbstractLayer,
        losses.AbstractLoss,
        metrics.AbstractMetric,
        optimizers.AbstractOptimizer,
        schedules.AbstractSchedule,
        regularizers.AbstractRegularizer,
        constraints.AbstractConstraint,
        gradient_rules.AbstractGradientRule,
        loss_scale.AbstractLossScale,
        weight_decay.AbstractWeightDecay,
    ):
        ours = {
            cls
            for cls in kinds(base)
            if not cls.__module__.startswith("dnnbridge.testing")
            and cls.__module__.startswith("dnnbridge.")
        }
        assert ours, base
        assert ours <= covered, ours - covered

"""The suite is tested: a backend that is wrong in one place fails the case that looks there."""

from __future__ import annotations

import numpy as np
import pytest

from dnnbridge import ops
from dnnbridge.reference import backend as reference_backend
from dnnbridge.reference.interpreter import RULES
from dnnbridge.reference.rules import Rule
from dnnbridge.schedules import PiecewiseConstant
from dnnbridge.testing import suite as suite_module
from dnnbridge.testing.cases.equation_cases import EQUATION_CASES
from dnnbridge.testing.cases.op_cases import OP_CASES
from dnnbridge.testing.cases.schedule_cases import ScheduleCase
from dnnbridge.testing.suite import ConformanceSuite


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

CASES = {case.id: case for case in [*OP_CASES, *EQUATION_CASES]}


class Suite(ConformanceSuite):
    backend = "reference"


def compare(case_id: str, sabotaged: dict) -> None:
    """Run one case on a reference whose rules have been changed for the backend under test."""
    case = CASES[case_id]
    healthy = reference_backend.ReferenceBackend()

    class Sabotaged(reference_backend.ReferenceBackend):
        def compile(self, program, device):
            executable = super().compile(program, device)
            run = executable.run

            def wrong(*given):
                saved = RULES.copy()
                RULES.update(sabotaged)
                try:
                    return run(*given)
                finally:
                    RULES.update(saved)

            executable.run = wrong
            return executable

    suite = Suite()
    test = suite.test_op if hasattr(case, "op") else suite.test_equation
    test(case, Sabotaged(), healthy)


@pytest.mark.parametrize(("op", "change", "case_id"), SABOTAGE.values(), ids=SABOTAGE)
def test_sabotage_is_caught(op, change, case_id):
    compare(case_id, {})
    with np.errstate(all="ignore"), pytest.raises(AssertionError, match=case_id):
        compare(case_id, {op: change(RULES[op])})


def test_a_rate_that_is_off_by_its_last_bit_is_caught(monkeypatch):
    monkeypatch.setattr(suite_module, "STEPS", 100)
    monkeypatch.setattr(suite_module, "BLOCK", 50)
    Suite().test_schedule(reference_backend.ReferenceBackend())
    wrong = value(lambda y, a, b: np.nextafter(y, 1.0) if y == 0.05 else y)
    monkeypatch.setitem(RULES, ops.Sub, wrong(RULES[ops.Sub]))
    last_one = ScheduleCase("last", PiecewiseConstant((99,), (0.1, 0.05)))
    short = [*suite_module.SCHEDULE_CASES[:1], last_one]
    monkeypatch.setattr(suite_module, "SCHEDULE_CASES", short)
    with pytest.raises(AssertionError, match="last"):
        Suite().test_schedule(reference_backend.ReferenceBackend())


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
    from dnnbridge.testing.cases.schedule_cases import SCHEDULE_CASES
    from dnnbridge.testing.cases.training_cases import TRAINING_CASES

    assert {type(case.op) for case in OP_CASES} == set(ops.PRIMITIVES)
    assert suite_module.OP_CASES is OP_CASES
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

"""Every primitive, and every spec of core, has a case."""

from __future__ import annotations

from dnnbridge import (
    activations,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
    schedules,
)
from dnnbridge.optimizers import gradient_rules, loss_scale, weight_decay
from dnnbridge.program import precision
from dnnbridge.specs.spec import kinds
from dnnbridge.testing.cases.equation_cases import EQUATION_CASES
from dnnbridge.testing.cases.extreme_loss_cases import EXTREME_LOSS_CASES
from dnnbridge.testing.cases.odd_cases import ODD_CASES
from dnnbridge.testing.cases.op_cases import OP_CASES
from dnnbridge.testing.cases.optimizer_cases import OPTIMIZER_CASES
from dnnbridge.testing.cases.precision_cases import PRECISION_CASES
from dnnbridge.testing.cases.schedule_cases import SCHEDULE_CASES
from dnnbridge.testing.cases.training_cases import TRAINING_CASES
from dnnbridge.weights import constraints, regularizers


def test_every_primitive_and_spec_has_a_case():
    assert {type(case.op) for case in OP_CASES} == set(ops.PRIMITIVES)
    covered = {type(case.subject) for case in EQUATION_CASES}
    covered |= {type(case.optimizer) for case in OPTIMIZER_CASES}
    covered |= {type(case.schedule) for case in SCHEDULE_CASES}
    for experiment in (case.experiment for case in TRAINING_CASES):
        covered |= {type(experiment.loss_scale), type(experiment.optimizer.weight_decay)}
    covered |= {type(case.experiment.precision) for case in PRECISION_CASES}
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
        precision.AbstractPrecision,
    ):
        ours = {
            cls
            for cls in kinds(base)
            if not cls.__module__.startswith("dnnbridge.testing")
            and cls.__module__.startswith("dnnbridge.")
        }
        assert ours, base
        assert ours <= covered, ours - covered


WINDOWED = {"kernel_size", "pool_size", "padding", "cropping", "size"}
"""Fields of layers that have windows or borders."""


def test_every_layer_with_windows_and_every_loss_has_cases_at_its_ends():
    """Layers have an example of 7 by 13, losses have predictions at the ends of float32."""
    odd = {type(case.spec) for case in ODD_CASES}
    assert all(len(x) == 1 and set(x.shape) & {7, 13} for case in ODD_CASES for x in case.inputs)
    given = {cls for cls in kinds(layers.AbstractLayer) if WINDOWED & set(cls.__annotations__)}
    given = {cls for cls in given if cls.__module__.startswith("dnnbridge.layers.")}
    whole = {cls for cls in kinds(layers.AbstractLayer) if cls.__name__.startswith("Global")}
    assert len(given) > 15
    assert given | whole <= odd, given | whole - odd
    ends = {type(case.spec) for case in EXTREME_LOSS_CASES}
    ours = {cls for cls in kinds(losses.AbstractLoss) if cls.__module__.startswith("dnnbridge.")}
    assert ours <= ends, ours - ends

"""Cases of penalties, constraints and gradient rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.optimizers import gradient_rules
from dnnbridge.optimizers.gradient_rules import AbstractGradientRule
from dnnbridge.specs.spec import Spec
from dnnbridge.testing.cases.equation_case import EquationCase, normal
from dnnbridge.weights.constraints import (
    AbstractConstraint,
    MaxNorm,
    MinMaxNorm,
    NonNeg,
    UnitNorm,
)
from dnnbridge.weights.regularizers import L1, L1L2, L2, AbstractRegularizer, OrthogonalRegularizer

Write = Callable[[Scope, tuple[Value, ...]], Sequence[Value]]

SHAPES = {"": (6, 5), "-kernel": (2, 3, 2, 5), "-bias": (5,)}

SIZES = (1.0, 0.0, 1e-5, 30.0, 0.3)
"""Scales of the units of an array: one is 0, the others are small, ordinary or large."""


@dataclass(frozen=True, eq=False)
class OfArrays:
    """An equation over arrays without a batch. The results are concatenated into one row."""

    write: Write

    def emit(self, scope: Scope, *arrays: Value) -> Value:
        rows = [ops.reshape(y, (1, y.type.size())) for y in self.write(scope, arrays)]
        return ops.concat(rows, 1) if len(rows) > 1 else rows[0]


def _regularizer(name: str, rule: AbstractRegularizer) -> list[EquationCase]:
    shapes = list(SHAPES.items())[: 2 if isinstance(rule, OrthogonalRegularizer) else 3]
    return [
        _case(name + suffix, rule, lambda scope, given: [rule.emit(scope, given[0])], [shape], 60)
        for suffix, shape in shapes
    ]


def _constraint(name: str, rule: AbstractConstraint) -> list[EquationCase]:
    return [
        _case(name + suffix, rule, lambda _, given: [rule.emit(given[0])], [shape], 12)
        for suffix, shape in SHAPES.items()
    ]


def _gradient_rule(name: str, rule: AbstractGradientRule) -> EquationCase:
    """Gradients and weights of a matrix, a filter and a bias. Both have units that are 0."""
    shapes = [*SHAPES.values(), *SHAPES.values()]
    return _case(name, rule, lambda _, given: rule.emit(given[:3], given[3:]), shapes, 95)


def _case(
    name: str, rule: Spec, write: Write, shapes: Sequence[tuple[int, ...]], reduced: int
) -> EquationCase:
    arrays = (np.roll(SIZES, i // 3) * normal(*shape, key=i // 3) for i, shape in enumerate(shapes))
    return EquationCase(
        name,
        OfArrays(write),
        tuple(arrays),
        gradient=isinstance(rule, AbstractRegularizer),
        reduced=reduced,
        of=rule,
        batched=False,
    )


WEIGHT_RULE_CASES: list[EquationCase] = [
    *_regularizer("L1", L1(0.1)),
    *_regularizer("L2", L2(0.1)),
    *_regularizer("L1L2", L1L2(0.1, 0.2)),
    *_regularizer("OrthogonalRegularizer", OrthogonalRegularizer(0.3)),
    *_regularizer("OrthogonalRegularizer-columns", OrthogonalRegularizer(0.3, "columns")),
    *_constraint("MaxNorm", MaxNorm(1.5)),
    *_constraint("MaxNorm-keras", MaxNorm.keras(0.5)),
    *_constraint("UnitNorm", UnitNorm()),
    *_constraint("NonNeg", NonNeg()),
    *_constraint("MinMaxNorm", MinMaxNorm(0.7, 1.5, 0.8)),
    *_constraint("MinMaxNorm-keras", MinMaxNorm.keras(0.1, 0.4)),
    _gradient_rule("ClipByValue", gradient_rules.ClipByValue(0.3)),
    _gradient_rule("ClipByNorm", gradient_rules.ClipByNorm(0.3)),
    _gradient_rule("ClipByGlobalNorm", gradient_rules.ClipByGlobalNorm(0.3)),
    _gradient_rule("ScaleGradients", gradient_rules.ScaleGradients(1 / 1024)),
    _gradient_rule("AdaptiveClip", gradient_rules.AdaptiveClip()),
    _gradient_rule("AdaptiveClip-large", gradient_rules.AdaptiveClip(0.5, 0.1)),
    _gradient_rule("CentralizeGradients", gradient_rules.CentralizeGradients()),
]

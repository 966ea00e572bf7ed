"""Redraw the numbers of a case by a seed, and keep the numbers that were chosen on purpose."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from dnnbridge.base import randomness
from dnnbridge.base.arrays import Array
from dnnbridge.testing.cases.equation_case import EquationCase
from dnnbridge.testing.cases.op_case import OpCase
from dnnbridge.testing.cases.optimizer_cases import OptimizerCase
from dnnbridge.testing.cases.training_case import TrainingCase

Case = TypeVar("Case", bound=OpCase | EquationCase)

LEAST = 0.7
"""Numbers are multiplied by factors from here to 1. So they keep their sign and order of magnitude,
and numbers below 1 stay below 1."""


def redrawn(array: Array, seed: int, name: str) -> Array:
    """Return the array with other numbers in place of those that look random.

    Whole numbers (labels, masks, zeros, rounded ties), numbers that occur twice, and non-finite
    numbers stay as they are. Seed 0 changes nothing.

    Example:
        >>> redrawn(np.array([0.3, 2.0, np.inf]), 1, "x")
        array([0.26382138, 2.        ,        inf])
    """
    x = np.asarray(array)
    if not seed or x.dtype.kind != "f":
        return x
    _, where, counts = np.unique(x, return_inverse=True, return_counts=True)
    drawn = np.isfinite(x) & (x != np.round(x)) & (counts[where].reshape(x.shape) == 1)
    factors = randomness.generator(seed, "redrawn", name).uniform(LEAST, 1.0, x.shape)
    return np.where(drawn, x * factors, x).astype(x.dtype)


def other_inputs(case: Case, seed: int) -> Case:
    """Return the case of an operation or equation with other inputs."""
    inputs = tuple(redrawn(a, seed, f"{case.id} {i}") for i, a in enumerate(case.inputs))
    return replace(case, inputs=inputs)


def other_gradients(case: OptimizerCase, seed: int) -> OptimizerCase:
    """Return the case of an optimizer with other initial weights and gradients."""
    start, gradients = (redrawn(a, seed, case.id) for a in (case.start, case.gradients))
    return replace(case, start=start, gradients=gradients)


def other_examples(case: TrainingCase, seed: int) -> TrainingCase:
    """Return the training with other examples, initial weights, shuffles and masks."""
    if not seed:
        return case
    experiment = case.experiment.replace(seed=case.experiment.seed + seed)
    if isinstance(case.x, dict):
        x = {name: redrawn(array, seed, f"{case.id} {name}") for name, array in case.x.items()}
        return replace(case, experiment=experiment, x=x)
    return replace(case, experiment=experiment, x=redrawn(case.x, seed, case.id))

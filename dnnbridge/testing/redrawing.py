"""Other numbers for the cases: a seed draws them anew, and leaves what was put there on purpose."""

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
"""A number is multiplied by one from here to 1: its size and sign, and that it is below 1, stay."""


def redrawn(array: Array, seed: int, name: str) -> Array:
    """Return the array with other numbers in place of those that look drawn; seed 0 changes none.

    Whole numbers (labels, masks, zeros, ties of rounded ones), numbers that occur twice, and those
    that are not finite are kept.

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
    """Return a case of an operation or equation with other inputs."""
    inputs = tuple(redrawn(a, seed, f"{case.id} {i}") for i, a in enumerate(case.inputs))
    return replace(case, inputs=inputs)


def other_gradients(case: OptimizerCase, seed: int) -> OptimizerCase:
    """Return a case of an optimizer with another start and other gradients."""
    start, gradients = (redrawn(a, seed, case.id) for a in (case.start, case.gradients))
    return replace(case, start=start, gradients=gradients)


def other_examples(case: TrainingCase, seed: int) -> TrainingCase:
    """Return a training of other examples, from other weights, with other shuffles and masks."""
    if not seed:
        return case
    experiment = case.experiment.replace(seed=case.experiment.seed + seed)
    if isinstance(case.x, dict):
        x = {name: redrawn(array, seed, f"{case.id} {name}") for name, array in case.x.items()}
        return replace(case, experiment=experiment, x=x)
    return replace(case, experiment=experiment, x=redrawn(case.x, seed, case.id))

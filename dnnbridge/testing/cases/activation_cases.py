"""Cases of activations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dnnbridge import activations
from dnnbridge.testing.cases.equation_case import EquationCase, normal

_WIDE = np.concatenate([normal(40, 6, scale=4.0), np.full((1, 6), 40.0), np.full((1, 6), -40.0)])
_KINKS = np.array([[0.0, 1e-7, -1e-7, 1.0, -1.0, 5.0]])

_ACTIVATIONS: Sequence[activations.AbstractActivation] = [
    activations.Linear(),
    activations.ReLU(),
    activations.LeakyReLU(),
    activations.LeakyReLU(0.01),
    activations.Sigmoid(),
    activations.Tanh(),
    activations.Softplus(),
    activations.Softmax(),
]


def _cases() -> list[EquationCase]:
    return [
        EquationCase(f"{a}-{name}", a, (x,), reduced=x.shape[-1])
        for a in _ACTIVATIONS
        for name, x in (("wide", _WIDE), ("kinks", _KINKS))
    ] + [EquationCase("Softmax-axis1", activations.Softmax(1), (normal(3, 5, 4),), reduced=5)]


ACTIVATION_CASES: list[EquationCase] = _cases()

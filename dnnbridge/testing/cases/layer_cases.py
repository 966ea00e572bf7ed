"""Cases of layers."""

from __future__ import annotations

from dnnbridge import initializers, layers
from dnnbridge.testing.cases.equation_case import EquationCase, normal


def _cases() -> list[EquationCase]:
    dense = layers.Dense(7, activation="tanh", kernel_initializer=initializers.HeNormal())
    return [
        EquationCase("Dense", dense, (normal(5, 33),), reduced=33),
        EquationCase("Dense-no_bias", layers.Dense(3, use_bias=False), (normal(4, 8),), reduced=8),
        EquationCase("Dense-one_example", layers.Dense(1), (normal(1, 1),)),
        EquationCase("Dense-rank3", layers.Dense(4, "relu"), (normal(2, 3, 8),), reduced=8),
        EquationCase("Flatten", layers.Flatten(), (normal(3, 4, 2, 5),)),
        EquationCase("Flatten-rank1", layers.Flatten(), (normal(3),)),
        EquationCase("Activation", layers.Activation("sigmoid"), (normal(3, 4),)),
        EquationCase("Dropout", layers.Dropout(0.4), (normal(6, 9),)),
        EquationCase("Dropout-off", layers.Dropout(0.4), (normal(6, 9),), training=False),
    ]


LAYER_CASES: list[EquationCase] = _cases()

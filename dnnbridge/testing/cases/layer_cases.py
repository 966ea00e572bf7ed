"""Cases of layers."""

from __future__ import annotations

from dnnbridge import initializers, layers, models
from dnnbridge.testing.cases.equation_case import EquationCase, normal

A = normal(4, 3)

_x = models.Input((3,))
_twice = layers.Dense(3, "tanh")
_sequential = models.Sequential([_x, layers.Dense(5, "tanh"), layers.Dense(2)])
_model = models.Model(_x, layers.Add()(_twice(_twice(_x)), _x))


def _cases() -> list[EquationCase]:
    dense = layers.Dense(7, activation="tanh", kernel_initializer=initializers.HeNormal())
    return [
        EquationCase("Dense", dense, (normal(5, 33),), reduced=33),
        EquationCase(
            "Dense-no_bias",
            layers.Dense(3, use_bias=False),
            (normal(4, 8),),
            reduced=8,
            witness=lambda a: a["input_0"] @ a["kernel"],
        ),
        EquationCase("Dense-one_example", layers.Dense(1), (normal(1, 1),)),
        EquationCase("Dense-rank3", layers.Dense(4, "relu"), (normal(2, 3, 8),), reduced=8),
        EquationCase("Flatten", layers.Flatten(), (normal(3, 4, 2, 5),)),
        EquationCase("Flatten-rank1", layers.Flatten(), (normal(3),)),
        *(
            EquationCase(type(layer).__name__, layer, (A, -0.5 * A, A * A))
            for layer in (layers.Add(), layers.Multiply(), layers.Average(), layers.Maximum())
        ),
        EquationCase("Sequential", _sequential, (A,), reduced=5),
        EquationCase("Model", _model, (A,), reduced=5),
        EquationCase("Subtract", layers.Subtract(), (A, A * A)),
        EquationCase("Concatenate", layers.Concatenate(), (A, normal(4, 1), normal(4, 5))),
        EquationCase(
            "Concatenate-axis1", layers.Concatenate(1), (normal(2, 3, 4), normal(2, 1, 4))
        ),
        EquationCase("Reshape", layers.Reshape((2, 6)), (normal(5, 3, 4),)),
        EquationCase("Permute", layers.Permute((3, 1, 2)), (normal(5, 2, 3, 4),)),
        EquationCase("Activation", layers.Activation("sigmoid"), (normal(3, 4),)),
        EquationCase("GaussianSampling", layers.GaussianSampling(), (A, A * A), reduced=12),
        EquationCase("GaussianSampling-off", layers.GaussianSampling(0.0), (A, A), training=False),
        EquationCase(
            "ActivityRegularization", layers.ActivityRegularization(0.1), (A,), reduced=12
        ),
        EquationCase("PadFeatures", layers.PadFeatures(1, 2), (normal(2, 3, 4),)),
        EquationCase("Dropout", layers.Dropout(0.4), (normal(6, 9),)),
        EquationCase("Dropout-off", layers.Dropout(0.4), (normal(6, 9),), training=False),
    ]


LAYER_CASES: list[EquationCase] = _cases()

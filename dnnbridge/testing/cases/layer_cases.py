"""Cases of layers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dnnbridge import initializers, layers, models
from dnnbridge.base.arrays import Array
from dnnbridge.testing.cases.category_cases import CATEGORY_CASES
from dnnbridge.testing.cases.equation_case import EquationCase, normal

A, IMAGES = normal(4, 3), normal(6, 5, 4, 3)

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
        EquationCase(
            "Minimum",
            layers.Minimum(),
            (A, -0.5 * A, A * A),
            witness=lambda a: np.min([a["input_0"], a["input_1"], a["input_2"]], 0),
        ),
        EquationCase("Minimum-ties", layers.Minimum(), (A, np.round(A))),
        EquationCase("Sequential", _sequential, (A,), reduced=5),
        EquationCase("Model", _model, (A,), reduced=5),
        EquationCase("Subtract", layers.Subtract(), (A, A * A)),
        EquationCase("Concatenate", layers.Concatenate(), (A, normal(4, 1), normal(4, 5))),
        EquationCase(
            "Concatenate-axis1", layers.Concatenate(1), (normal(2, 3, 4), normal(2, 1, 4))
        ),
        EquationCase("Reshape", layers.Reshape((2, 6)), (normal(5, 3, 4),)),
        EquationCase("Reshape-rest", layers.Reshape((2, -1, 3)), (normal(5, 3, 4),)),
        EquationCase(
            "RepeatVector",
            layers.RepeatVector(3),
            (normal(5, 4),),
            witness=lambda a: np.stack([a["input_0"]] * 3, 1),
        ),
        EquationCase("Permute", layers.Permute((3, 1, 2)), (normal(5, 2, 3, 4),)),
        EquationCase("Activation", layers.Activation("sigmoid"), (normal(3, 4),)),
        EquationCase("GaussianSampling", layers.GaussianSampling(), (A, A * A), reduced=12),
        EquationCase("GaussianSampling-off", layers.GaussianSampling(0.0), (A, A), training=False),
        EquationCase(
            "ActivityRegularization", layers.ActivityRegularization(0.1), (A,), reduced=12
        ),
        EquationCase("PadFeatures", layers.PadFeatures(1, 2), (normal(2, 3, 4),)),
        EquationCase("Dropout", layers.Dropout(0.4), (normal(6, 9),)),
        EquationCase(
            "Dropout-examples",
            layers.Dropout(0.4, (None, 1, 1)),
            (IMAGES[..., 0],),
            witness=lambda a: a["input_0"] * a["random:mask"] / 0.6,
        ),
        EquationCase("Dropout-along", layers.Dropout(0.4, (1, 5, 1, None)), (IMAGES,)),
        EquationCase("Dropout-off", layers.Dropout(0.4), (normal(6, 9),), training=False),
    ]


def _scaled(arrays: Mapping[str, Array], mean: Array, variance: Array) -> Array:
    return np.asarray((arrays["input_0"] - mean) / np.sqrt(variance))


def _preprocessing() -> list[EquationCase]:
    whole = np.arange(24).reshape(2, 3, 4)
    pair, one = np.array([0.5, -2.0]), np.array([[0.5], [2.0], [8.0]])
    mean, variance = np.linspace(-1.0, 1.0, 12).reshape(4, 3), np.linspace(0.25, 3.0, 12)
    return [
        EquationCase(
            "Rescaling",
            layers.Rescaling(pair, 0.25),
            (normal(4, 3, 2),),
            witness=lambda a: a["input_0"] * pair + 0.25,
        ),
        EquationCase(
            "Rescaling-rows",
            layers.Rescaling(0.5, one),
            (normal(2, 3, 4),),
            witness=lambda a: a["input_0"] * 0.5 + one,
        ),
        EquationCase("Rescaling-int", layers.Rescaling(1 / 255), (whole,), gradient=False),
        EquationCase("Normalization-int", layers.Normalization(), (whole,), gradient=False),
        EquationCase(
            "Normalization",
            layers.Normalization(),
            (normal(4, 3),),
            witness=lambda a: _scaled(a, a["mean"], a["variance"]),
        ),
        EquationCase(
            "Normalization-all",
            layers.Normalization(None),
            (normal(4, 3),),
            witness=lambda a: _scaled(a, a["mean"], a["variance"]),
        ),
        EquationCase(
            "Normalization-axes",
            layers.Normalization((1, -1), mean, variance.reshape(4, 3)),
            (normal(2, 4, 5, 3),),
            witness=lambda a: _scaled(a, mean[:, None], variance.reshape(4, 1, 3)),
        ),
        EquationCase(
            "Normalization-invert",
            layers.Normalization(1, 0.5, 4.0, invert=True),
            (normal(2, 4, 5),),
            witness=lambda a: 2.0 * a["input_0"] + 0.5,
        ),
        EquationCase("Normalization-constant", layers.Normalization(-1, 0.0, 0.0), (A,)),
    ]


LAYER_CASES: list[EquationCase] = [*_cases(), *_preprocessing(), *CATEGORY_CASES]

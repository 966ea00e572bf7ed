"""Cases of normalisations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dnnbridge import layers
from dnnbridge.base.arrays import Array
from dnnbridge.testing.cases.equation_case import EquationCase, labels, normal

_FLAT, _IMAGES, _SERIES = normal(6, 4), normal(3, 5, 4, 6), normal(4, 5, 6)
_WORDS = labels(4, 3, classes=7)


def _batch_norms() -> list[EquationCase]:
    norm, native = layers.BatchNormalization(), layers.BatchNormalization.mindspore()
    # A larger ε: with the default, masked examples lie hundreds of √ε from the real one and cancel.
    alone = native.replace(epsilon=0.1)
    plain = layers.BatchNormalization(axis=1, center=False, scale=False)
    return [
        EquationCase("BatchNormalization", norm, (_FLAT,), reduced=6),
        EquationCase("BatchNormalization-images", norm, (_IMAGES,), reduced=60),
        EquationCase("BatchNormalization-mindspore", native, (_SERIES,), reduced=20),
        EquationCase("BatchNormalization-axis1", plain, (_IMAGES,), reduced=72),
        EquationCase(
            "BatchNormalization-shift_axis1", layers.BatchNormalization(1), (_SERIES,), reduced=24
        ),
        EquationCase("BatchNormalization-short", norm, (_IMAGES,), reduced=60, masked=1),
        EquationCase("BatchNormalization-one_left", alone, (_FLAT,), reduced=6, masked=5),
        EquationCase("BatchNormalization-one", norm, (normal(1, 4),)),
        EquationCase("BatchNormalization-mean_10", norm, (_FLAT + 10.0,), reduced=60),
        EquationCase("BatchNormalization-off", norm, (_IMAGES,), training=False),
        EquationCase(
            "BatchNormalization-off_axis1", layers.BatchNormalization(1), (_SERIES,), training=False
        ),
    ]


def _others() -> list[EquationCase]:
    two = layers.LayerNormalization((1, 3), center=False)
    return [
        EquationCase("LayerNormalization", layers.LayerNormalization(), (_SERIES,), reduced=20),
        EquationCase(
            "LayerNormalization-mindspore",
            layers.LayerNormalization.mindspore(),
            (_FLAT,),
            reduced=6,
        ),
        EquationCase("LayerNormalization-two_axes", two, (_IMAGES,), reduced=30),
        EquationCase(
            "LayerNormalization-all", layers.LayerNormalization((1, 2, 3)), (_IMAGES,), reduced=120
        ),
        EquationCase(
            "LayerNormalization-constant",
            layers.LayerNormalization(),
            (0.0 * _FLAT + 3.0,),
            reduced=6,
        ),
        EquationCase("GroupNormalization", layers.GroupNormalization(3), (_IMAGES,), reduced=60),
        EquationCase(
            "GroupNormalization-axis1",
            layers.GroupNormalization(2, axis=1),
            (normal(3, 4, 5),),
            reduced=15,
        ),
        EquationCase(
            "GroupNormalization-flat",
            layers.GroupNormalization.mindspore(2),
            (normal(6, 12),),
            reduced=12,
        ),
        EquationCase(
            "GroupNormalization-plain",
            layers.GroupNormalization(1, scale=False),
            (_SERIES,),
            reduced=30,
        ),
        EquationCase("InstanceNorm", layers.InstanceNorm(), (_IMAGES,), reduced=60),
        EquationCase(
            "InstanceNorm-mindspore", layers.InstanceNorm.mindspore(), (_SERIES,), reduced=20
        ),
        EquationCase("InstanceNorm-axis1", layers.InstanceNorm(1), (_SERIES,), reduced=30),
        EquationCase(
            "UnitNormalization",
            layers.UnitNormalization(),
            (_SERIES,),
            reduced=6,
            witness=lambda a: a["input_0"] / np.linalg.norm(a["input_0"], axis=-1, keepdims=True),
        ),
        EquationCase(
            "UnitNormalization-axes", layers.UnitNormalization((1, 3)), (_IMAGES,), reduced=30
        ),
        EquationCase("RMSNormalization", layers.RMSNormalization(), (_SERIES,), reduced=20),
        EquationCase(
            "RMSNormalization-two_axes", layers.RMSNormalization((1, 2)), (_SERIES,), reduced=30
        ),
        EquationCase("RMSNormalization-axis1", layers.RMSNormalization(1), (_SERIES,), reduced=24),
        EquationCase(
            "RMSNormalization-zeros", layers.RMSNormalization(), (0.0 * _FLAT,), reduced=6
        ),
    ]


def _divided(arrays: Mapping[str, Array]) -> Array:
    """Return x @ kernel / its largest singular value, as one power iteration finds it."""
    kernel, u = arrays["layer/kernel"], arrays["vector_u"]
    v = u @ kernel.T
    v = v / np.linalg.norm(v)
    return np.asarray(arrays["input_0"] @ kernel / np.linalg.norm(v @ kernel))


def _spectral() -> list[EquationCase]:
    dense = layers.Dense(4, use_bias=False)
    convolution = layers.Conv2D(4, 2, activation="tanh")
    given: list[tuple[str, layers.SpectralNormalization, Array, bool]] = [
        ("image", layers.SpectralNormalization(convolution, 3), _IMAGES, True),
        ("zeros", layers.SpectralNormalization(layers.Dense(1)), 0.0 * _FLAT, True),
        ("off", layers.SpectralNormalization(convolution), _IMAGES, False),
        ("words", layers.SpectralNormalization(layers.Embedding(7, 3)), _WORDS, True),
    ]
    return [
        EquationCase(
            "SpectralNormalization",
            layers.SpectralNormalization(dense),
            (_FLAT,),
            reduced=20,
            witness=_divided,
        ),
        *(
            EquationCase(f"SpectralNormalization-{id}", layer, (x,), reduced=60, training=training)
            for id, layer, x, training in given
        ),
    ]


NORMALIZATION_CASES: list[EquationCase] = [*_batch_norms(), *_others(), *_spectral()]

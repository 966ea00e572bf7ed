"""Cases of normalisations."""

from __future__ import annotations

from dnnbridge import layers
from dnnbridge.testing.cases.equation_case import EquationCase, normal

_FLAT, _IMAGES, _SERIES = normal(6, 4), normal(3, 5, 4, 6), normal(4, 5, 6)


def _batch_norms() -> list[EquationCase]:
    norm, native = layers.BatchNorm(), layers.BatchNorm.mindspore()
    # Examples that do not count are hundreds of √ε away from the one that does, and cancel.
    alone = native.replace(epsilon=0.1)
    plain = layers.BatchNorm(axis=1, center=False, scale=False)
    return [
        EquationCase("BatchNorm", norm, (_FLAT,), reduced=6),
        EquationCase("BatchNorm-images", norm, (_IMAGES,), reduced=60),
        EquationCase("BatchNorm-mindspore", native, (_SERIES,), reduced=20),
        EquationCase("BatchNorm-axis1", plain, (_IMAGES,), reduced=72),
        EquationCase("BatchNorm-shift_axis1", layers.BatchNorm(1), (_SERIES,), reduced=24),
        EquationCase("BatchNorm-short", norm, (_IMAGES,), reduced=60, masked=1),
        EquationCase("BatchNorm-one_left", alone, (_FLAT,), reduced=6, masked=5),
        EquationCase("BatchNorm-one", norm, (normal(1, 4),)),
        EquationCase("BatchNorm-mean_10", norm, (_FLAT + 10.0,), reduced=60),
        EquationCase("BatchNorm-off", norm, (_IMAGES,), training=False),
        EquationCase("BatchNorm-off_axis1", layers.BatchNorm(1), (_SERIES,), training=False),
    ]


def _others() -> list[EquationCase]:
    two = layers.LayerNorm((1, 3), center=False)
    return [
        EquationCase("LayerNorm", layers.LayerNorm(), (_SERIES,), reduced=20),
        EquationCase("LayerNorm-mindspore", layers.LayerNorm.mindspore(), (_FLAT,), reduced=6),
        EquationCase("LayerNorm-two_axes", two, (_IMAGES,), reduced=30),
        EquationCase("LayerNorm-all", layers.LayerNorm((1, 2, 3)), (_IMAGES,), reduced=120),
        EquationCase("LayerNorm-constant", layers.LayerNorm(), (0.0 * _FLAT + 3.0,), reduced=6),
        EquationCase("GroupNorm", layers.GroupNorm(3), (_IMAGES,), reduced=60),
        EquationCase(
            "GroupNorm-axis1", layers.GroupNorm(2, axis=1), (normal(3, 4, 5),), reduced=15
        ),
        EquationCase("GroupNorm-flat", layers.GroupNorm.mindspore(2), (normal(6, 12),), reduced=12),
        EquationCase("GroupNorm-plain", layers.GroupNorm(1, scale=False), (_SERIES,), reduced=30),
        EquationCase("InstanceNorm", layers.InstanceNorm(), (_IMAGES,), reduced=60),
        EquationCase(
            "InstanceNorm-mindspore", layers.InstanceNorm.mindspore(), (_SERIES,), reduced=20
        ),
        EquationCase("InstanceNorm-axis1", layers.InstanceNorm(1), (_SERIES,), reduced=30),
        EquationCase("RMSNorm", layers.RMSNorm(), (_SERIES,), reduced=20),
        EquationCase("RMSNorm-two_axes", layers.RMSNorm((1, 2)), (_SERIES,), reduced=30),
        EquationCase("RMSNorm-axis1", layers.RMSNorm(1), (_SERIES,), reduced=24),
        EquationCase("RMSNorm-zeros", layers.RMSNorm(), (0.0 * _FLAT,), reduced=6),
    ]


NORMALIZATION_CASES: list[EquationCase] = [*_batch_norms(), *_others()]

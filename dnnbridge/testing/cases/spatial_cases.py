"""Cases of layers that pad, crop and enlarge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

import numpy as np

from dnnbridge import layers
from dnnbridge.base.arrays import Array
from dnnbridge.testing.cases.equation_case import EquationCase, normal

_FIRST: Literal["channels_first"] = "channels_first"
_LINE, _PLANE, _SPACE = normal(3, 7, 2), normal(2, 4, 5, 3), normal(2, 4, 3, 5, 2)

_GIVEN: list[tuple[str, layers.AbstractLayer, Array]] = [
    ("pair", layers.ZeroPadding1D((2, 0)), _LINE),
    ("pairs", layers.ZeroPadding2D(((1, 0), (0, 3))), _PLANE),
    ("channels_first", layers.ZeroPadding2D((1, 2), _FIRST), _PLANE),
    ("number", layers.ZeroPadding3D(1), _SPACE),
    ("pair", layers.Cropping1D((0, 3)), _LINE),
    ("pairs", layers.Cropping2D(((1, 0), (0, 2))), _PLANE),
    ("channels_first", layers.Cropping2D((2, 1), _FIRST), _PLANE),
    ("each", layers.Cropping3D((1, 0, 2)), _SPACE),
    ("3", layers.UpSampling1D(3), _LINE),
    ("nearest", layers.UpSampling2D((2, 3)), _PLANE),
    ("bilinear", layers.UpSampling2D((2, 3), interpolation="bilinear"), _PLANE),
    ("bilinear-channels_first", layers.UpSampling2D(2, _FIRST, "bilinear"), _PLANE),
    ("bicubic", layers.UpSampling2D((2, 3), interpolation="bicubic"), _PLANE),
    ("each", layers.UpSampling3D((1, 2, 3)), _SPACE),
    ("every_axis", layers.UpSampling3D(2), _SPACE),
    ("larger", layers.Resizing(7, 8), _PLANE),
    ("antialias", layers.Resizing(3, 2, "lanczos3", antialias=True), _PLANE),
    ("nearest", layers.Resizing(5, 3, "nearest", data_format=_FIRST), _PLANE),
    ("cropped", layers.Resizing(6, 3, crop_to_aspect_ratio=True), _PLANE),
    ("padded", layers.Resizing(6, 3, pad_to_aspect_ratio=True, fill_value=0.5), _PLANE),
    ("crop", layers.CenterCrop(3, 2), _PLANE),
    ("resize", layers.CenterCrop(3, 8), _PLANE),
]


def _interpolated(arrays: Mapping[str, Array]) -> Array:
    """Return images of 7 times 8, interpolated along one axis after the other."""
    x = arrays["input_0"]
    for axis, size in ((1, 7), (2, 8)):
        n = x.shape[axis]
        place = (np.arange(size) + 0.5) * n / size - 0.5
        x = np.apply_along_axis(partial(_at, place), axis, x)
    return x


def _at(places: Array, column: Array) -> Array:
    return np.interp(places, np.arange(len(column)), column)


_WITNESSES: Mapping[str, Callable[[Mapping[str, Array]], Array]] = {
    "Resizing-larger": _interpolated,
    "CenterCrop-crop": lambda arrays: arrays["input_0"][:, 0:3, 1:3],
}

SPATIAL_CASES: list[EquationCase] = [
    EquationCase(id, layer, (x,), reduced=12, witness=_WITNESSES.get(id))
    for name, layer, x in _GIVEN
    for id in (f"{type(layer).__name__}-{name}",)
]

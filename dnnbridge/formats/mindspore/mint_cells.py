"""What each class of `mindspore.mint.nn` becomes; its arguments are named as in PyTorch.

Most of these classes have no kernel for CPUs in MindSpore 2.10, so they cannot be run there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dnnbridge import layers
from dnnbridge.formats.mindspore.rule import Part, Rule
from dnnbridge.formats.mindspore.weights import TRANSPOSED, Entry
from dnnbridge.layers import AbstractLayer

SCALE_AND_SHIFT = (Entry("gamma", ("weight",)), Entry("beta", ("bias",)))


def _linear(cell: Any, rank: int) -> list[Part]:
    made = layers.Dense(cell.out_features, use_bias=cell.bias is not None)
    return [Part(made, (Entry("kernel", ("weight",), TRANSPOSED), Entry("bias", ("bias",))))]


def _group_norm(cell: Any, rank: int) -> list[Part]:
    affine = bool(cell.affine)
    made = layers.GroupNormalization(
        cell.num_groups, 1, float(cell.eps), center=affine, scale=affine
    )
    return [Part(made, SCALE_AND_SHIFT)]


def _dropout(cls: Callable[..., AbstractLayer], **fields: Any) -> Rule:
    return lambda cell, rank: [Part(cls(float(cell.p), **fields))]


MINT: Mapping[str, Rule] = {
    "Linear": _linear,
    "mint.GroupNorm": _group_norm,
    "DropoutExt": _dropout(layers.Dropout),
    "Dropout2dExt": _dropout(layers.SpatialDropout2D, data_format="channels_first"),
}
"""The rule of each class; those in `mindspore.mint` itself have "mint." before their names."""

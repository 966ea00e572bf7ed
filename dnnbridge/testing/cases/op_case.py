"""What a case of an operation is, and the arrays that cases are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnbridge.base import randomness
from dnnbridge.base.arrays import Array
from dnnbridge.graph import Op, TensorType


@dataclass(frozen=True, eq=False)
class OpCase:
    """An operation with inputs.

    Attributes:
        id: name in test reports.
        op: the operation with its attributes.
        inputs: arrays, rounded to float32 before use.
        gradient: whether the case compares gradients.
        reduced: number of terms summed into an element.
        relative: whether the unit of each error is the effect of rounding on that element, so
            that small elements count too.
    """

    id: str
    op: Op
    inputs: tuple[Array, ...]
    gradient: bool = True
    reduced: int = 1
    relative: bool = False

    @property
    def types(self) -> list[TensorType]:
        names: dict[str, Any] = {"f": "float32", "i": "int32", "b": "bool"}
        return [TensorType(array.shape, names[array.dtype.kind]) for array in self.inputs]


def normal(*shape: int, scale: float = 1.0, key: int = 0) -> Array:
    return randomness.generator(key, "op case", *shape).normal(0.0, scale, shape)


def both_signs(least: float, most: float, count: int) -> Array:
    """Return numbers of both signs whose sizes are spread over many powers of ten."""
    sizes = np.geomspace(least, most, count)
    return np.concatenate([sizes, -sizes])

"""What a case of an equation is, and the arrays that cases are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from dnnbridge.base import randomness
from dnnbridge.base.arrays import Array
from dnnbridge.base.texts import digests
from dnnbridge.emit.emitter import Emitter
from dnnbridge.graph import BATCH, TensorType
from dnnbridge.specs.spec import Spec


@dataclass(frozen=True, eq=False)
class EquationCase:
    """A spec with an `emit`, and its inputs.

    Attributes:
        id: name in test reports.
        spec: the object under test.
        inputs: arrays, also of texts; the first axis is the batch.
        gradient: whether the case compares gradients.
        reduced: number of terms summed into an element.
        training: whether it is emitted for training.
        masked: number of padding examples at the end of the batch; their mask is 0.
        of: the subject of the case, if it is not `spec`.
        batched: whether the first axis is the batch.
        relative: whether the unit of each error is the effect of rounding on that element, so
            that small elements count too.
        witness: an independent implementation in plain NumPy. It takes the arrays by name
            (`input_0`, …, and weights such as `kernel`) and returns the value.
    """

    id: str
    spec: Emitter
    inputs: tuple[Array, ...]
    gradient: bool = True
    reduced: int = 1
    training: bool = True
    masked: int = 0
    of: Spec | None = None
    batched: bool = True
    relative: bool = False
    witness: Callable[[Mapping[str, Array]], Array] | None = None

    @property
    def subject(self) -> Spec | Emitter:
        """The object that the case tests."""
        return self.of or self.spec

    @property
    def types(self) -> list[TensorType]:
        shapes = [(BATCH, *a.shape[1:]) if self.batched else a.shape for a in self.arrays]
        return [
            TensorType(shape, "int32" if a.dtype.kind in "iU" else "float32", a.dtype.kind == "U")
            for shape, a in zip(shapes, self.inputs, strict=True)
        ]

    @property
    def arrays(self) -> list[Array]:
        """The inputs as they are fed: texts are digests."""
        return [digests(a, self.id) if a.dtype.kind == "U" else a for a in self.inputs]


def normal(*shape: int, scale: float = 1.0, key: int = 0) -> Array:
    return randomness.generator(key, "equation case", *shape).normal(0.0, scale, shape)


def labels(*shape: int, classes: int) -> Array:
    return randomness.generator(0, "labels", *shape).integers(0, classes, shape)


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return np.asarray(e / e.sum(-1, keepdims=True))

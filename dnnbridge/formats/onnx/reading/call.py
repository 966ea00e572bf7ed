"""A node whose inputs are known, and what a rule needs to make layers of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.formats.onnx.reading.values import CannotReadError, Known, Tensor, Value
from dnnbridge.layers import AbstractLayer

if TYPE_CHECKING:
    from dnnbridge.formats.onnx.reading.reader import Reader


@dataclass(frozen=True)
class Call:
    """A node of the graph.

    Attributes:
        reader: the reader of the graph.
        node: the `NodeProto`.
        inputs: its inputs; None for one that is absent.
        attributes: its attributes by name.
        opset: the version of the operators.
        places: the axes of the symbols for each axis in the file, if these differ.
    """

    reader: Reader
    node: Any
    inputs: list[Value]
    attributes: Mapping[str, Any]
    opset: int
    places: Sequence[tuple[int, ...]] | None = None

    def get(self, name: str, default: Any) -> Any:
        return self.attributes.get(name, default)

    def require(self, holds: bool, what: str) -> None:
        if not holds:
            raise CannotReadError(what)

    def input(self, index: int) -> Value:
        return self.inputs[index] if index < len(self.inputs) else None

    def tensor(self, index: int = 0) -> Tensor:
        """Return an input that is a tensor of the model."""
        value = self.input(index)
        if not isinstance(value, Tensor):
            raise CannotReadError(f"a constant as input {index}")
        return value

    def weight(self, index: int) -> Known:
        """Return an input that is an array."""
        value = self.input(index)
        if not isinstance(value, Known):
            raise CannotReadError(f"input {index}, which is not a constant")
        return value

    def constant(self, index: int, attribute: str = "") -> Array | None:
        """Return the numbers of an input, or of an attribute that older versions have instead."""
        if self.input(index) is not None:
            return self.weight(index).fixed
        value = self.get(attribute, None)
        return None if value is None else np.asarray(value)

    def axes(self, index: int, rank: int) -> tuple[int, ...] | None:
        """Return the axes of an input or the attribute "axes", none below 0; None if absent."""
        given = self.constant(index, "axes")
        return None if given is None else tuple(self.place(int(n), rank) for n in given.ravel())

    def axis(self, default: int, rank: int) -> int:
        """Return the attribute "axis", not below 0."""
        return self.place(int(self.get("axis", default)), rank)

    def place(self, axis: int, rank: int) -> int:
        """Return the axis of the tensor here for an axis in the file."""
        if self.places is None:
            return axis % rank
        found = self.places[axis % len(self.places)]
        self.require(0 not in found, f"axis {axis % len(self.places)}, which holds the batch")
        return found[0]

    def layer(
        self,
        layer: AbstractLayer,
        *tensors: Tensor,
        weights: Mapping[str, Array] | None = None,
        sources: tuple[Known, ...] = (),
        frozen: tuple[str, ...] = (),
    ) -> Tensor:
        """Call a layer.

        Args:
            layer: the layer, without a name.
            tensors: its inputs.
            weights: its weights, by their names below the layer.
            sources: the arrays of the file that they were made of, which give the name.
            frozen: the weights that are not trained.
        """
        return self.reader.call(self, layer, tensors, weights or {}, sources, frozen)

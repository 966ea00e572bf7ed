"""`Nodes`: the nodes of an ONNX graph while it is written, and the names of its values."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.formats.onnx.writing.operands import Known, Operand, Tensor, to_first, to_last
from dnnbridge.graph import TensorType

DTYPES = {"f": np.float32, "i": np.int32, "b": np.bool_}
"""The dtype of an initializer by the kind of the array."""


@dataclass(eq=False)
class OnnxNode:
    """A node before it becomes a protobuf message, so that a later operation may change it."""

    kind: str
    inputs: list[str]
    outputs: list[str]
    name: str
    attributes: dict[str, Any]


@dataclass(eq=False)
class File:
    """What all graphs of a file share: names and initializers."""

    names: set[str] = field(default_factory=set)
    initializers: dict[str, Array] = field(default_factory=dict)
    known: dict[tuple[Any, ...], str] = field(default_factory=dict)

    def unique(self, name: str) -> str:
        """Return a name that no other value or node has."""
        made, count = name, 0
        while made in self.names:
            count += 1
            made = f"{name}_{count}"
        self.names.add(made)
        return made

    def initializer(self, array: Array, label: str) -> str:
        """Return the name of an initializer with these numbers; equal numbers have one name."""
        with np.errstate(over="ignore", under="ignore"):
            kept = np.ascontiguousarray(array, array.dtype if label == SIZES else _dtype(array))
        kept = kept.reshape(array.shape)
        key = (kept.dtype.str, kept.shape, hashlib.sha256(kept.tobytes()).digest())
        if key not in self.known:
            self.known[key] = self.unique(label)
            self.initializers[self.known[key]] = kept
        return self.known[key]


SIZES = "sizes"
"""Label of arrays of int64: shapes, axes, indices."""


def _dtype(array: Array) -> Any:
    return DTYPES["i" if array.dtype.kind == "u" else array.dtype.kind]


class Nodes:
    """The nodes of one graph: of the model, or of the body of a loop.

    Args:
        file: names and initializers of the whole file.

    Attributes:
        path: the layer that is being written.
        written: the nodes.
        makers: the node that made a value, by name.
        alone: names of values that only one operation reads.
    """

    def __init__(self, file: File) -> None:
        self.file = file
        self.path = ""
        self.written: list[OnnxNode] = []
        self.makers: dict[str, OnnxNode] = {}
        self.alone: set[str] = set()

    def add(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add a node with one output, and return the name of the output."""
        return self.add_all(kind, inputs, 1, **attributes)[0]

    def add_all(self, kind: str, inputs: Sequence[str], count: int, **attributes: Any) -> list[str]:
        """Add a node with several outputs."""
        name = self.file.unique(f"{self.path}/{kind}".lstrip("/"))
        outputs = [self.file.unique(f"{name}_output") for _ in range(count)]
        node = OnnxNode(kind, list(inputs), outputs, name, attributes)
        self.written.append(node)
        self.makers.update(dict.fromkeys(outputs, node))
        return outputs

    def sizes(self, numbers: Sequence[int]) -> str:
        """Return the name of an array of int64."""
        return self.file.initializer(np.asarray(numbers, np.int64), SIZES)

    def last(self, x: Operand) -> str:
        """Return the name of a value with the shape that it has here: channels last."""
        if isinstance(x, Known):
            return self.file.initializer(x.array, x.label)
        if x.last is None:
            assert x.first is not None
            x.last = self.add("Transpose", [x.first], perm=to_last(x.rank))
        return x.last

    def first(self, x: Operand, rank: int | None = None) -> str:
        """Return the name of a value with its channels first.

        Args:
            x: the value.
            rank: the rank of the values that it is combined with; a known one gets axes of size 1.
        """
        if isinstance(x, Known):
            array, rank = x.array, x.rank if rank is None else rank
            if array.ndim:
                array = array.reshape((1,) * (rank - array.ndim) + array.shape)
                array = array.transpose(to_first(rank))
            return self.file.initializer(array, x.label)
        if x.first is None:
            if x.rank == 0:
                return self.last(x)
            assert x.last is not None
            x.first = self.add("Transpose", [x.last], perm=to_first(x.rank))
        return x.first

    def pointwise(
        self, kind: str, operands: Sequence[Operand], type: TensorType, **attributes: Any
    ) -> Tensor:
        """Add an element-wise node. It keeps the channels first where an operand has them so."""
        if _stays_first(operands, type.rank):
            names = [self.first(x, type.rank) for x in operands]
            return Tensor(type, first=self.add(kind, names, **attributes))
        names = [self.last(x) for x in operands]
        return Tensor(type, last=self.add(kind, names, **attributes))


def _stays_first(operands: Sequence[Operand], rank: int) -> bool:
    """Return whether an element-wise operation may work on values with their channels first."""
    tensors = [x for x in operands if isinstance(x, Tensor)]
    return any(x.is_first for x in tensors) and all(x.rank in (0, rank) for x in tensors)

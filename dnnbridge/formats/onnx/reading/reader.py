"""Read an ONNX graph node by node."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.errors import ConversionError, DnnbridgeError
from dnnbridge.formats.findings import Findings
from dnnbridge.formats.onnx.reading.call import Call
from dnnbridge.formats.onnx.reading.file import array_of, attributes
from dnnbridge.formats.onnx.reading.folding import FOLDED, fold
from dnnbridge.formats.onnx.reading.lifting import lifted
from dnnbridge.formats.onnx.reading.table import MERGED, MOVED, RULES
from dnnbridge.formats.onnx.reading.values import (
    CannotReadError,
    Known,
    Merged,
    Tensor,
    Value,
    known,
)
from dnnbridge.graph.types import DataType
from dnnbridge.layers import AbstractLayer
from dnnbridge.models import Input, Model

FAULTS = (DnnbridgeError, TypeError, ValueError, IndexError, KeyError, RuntimeError, OverflowError)


@dataclass
class Reader:
    """What was read of a graph so far.

    Attributes:
        graph: the `GraphProto`.
        opset: the version of its operators.
        folder: where its arrays in other files are.
        findings: receives what cannot be read.
        batch: the size of the batch, if the file has a fixed one.
        values: the values by name.
        weights: arrays by their names here.
        frozen: names of those that are not trained.
        limits: the rows of the table that each input indexes.
    """

    graph: Any
    opset: int
    folder: Path
    findings: Findings
    batch: int | None = None
    values: dict[str, Value] = field(default_factory=dict)
    weights: dict[str, Array] = field(default_factory=dict)
    frozen: list[str] = field(default_factory=list)
    limits: dict[str, int] = field(default_factory=dict)
    absorbed: dict[str, str] = field(default_factory=dict)
    """Outputs of nodes that are part of an earlier layer, and the value that they are."""

    def __post_init__(self) -> None:
        self._names: Counter[str] = Counter()
        self._layers: dict[Any, tuple[AbstractLayer, tuple[Known, ...]]] = {}
        self.users = defaultdict[str, list[Any]](list)
        for node in self.graph.node:
            for name in node.input:
                self.users[name].append(node)
        for output in self.graph.output:
            self.users[output.name].append(None)

    def read(self, inputs: Mapping[str, Input]) -> None:
        """Read all nodes."""
        for tensor in self.graph.initializer:
            self.values[tensor.name] = known(array_of(tensor, self.folder), tensor.name)
        for name, given in inputs.items():
            self.values[name] = Tensor(given, given.shape, given.type.dtype)
        for node in self.graph.node:
            self._read(node)

    def _read(self, node: Any) -> None:
        where = node.name or (node.output[0] if node.output else node.op_type)
        made: Sequence[Value] = ()
        try:
            made = self._made(node)
        except CannotReadError as error:
            self.findings.add(where, f"{node.op_type} with {error}")
        except ConversionError:
            raise
        except FAULTS as error:
            self.findings.add(where, f"{node.op_type}: {error}")
        for index, name in enumerate(node.output):
            self.values[name] = made[index] if index < len(made) else None

    def _made(self, node: Any) -> Sequence[Value]:
        if node.output[0] in self.absorbed:
            return [self.values[self.absorbed[node.output[0]]]]
        if node.domain not in ("", "ai.onnx"):
            raise CannotReadError(f"the domain {node.domain}")
        inputs = [self.values[name] if name else None for name in node.input]
        lost = any(x is None and name for x, name in zip(inputs, node.input, strict=True))
        constants = [x for x in inputs if x is None or isinstance(x, Known)]
        if node.op_type in FOLDED and len(constants) == len(inputs) and not lost:
            if node.op_type == "Identity" and isinstance(inputs[0], Known):
                return inputs
            return fold(node, self.opset, constants)
        if node.op_type not in RULES:
            raise CannotReadError("no counterpart here")
        if lost:
            return ()
        call = Call(self, node, inputs, attributes(node, self.folder), self.opset)
        rule = RULES[node.op_type]
        merged = any(isinstance(x, Merged) for x in inputs)
        moved = any(isinstance(x, Tensor) and x.batch for x in inputs)
        if (merged and node.op_type not in MERGED) or (moved and node.op_type not in MOVED):
            return lifted(call, rule)
        result = rule(call)
        return result if isinstance(result, list) else [result]

    def call(
        self,
        call: Call,
        layer: AbstractLayer,
        tensors: Sequence[Tensor],
        weights: Mapping[str, Array],
        sources: Sequence[Known],
        frozen: Sequence[str],
    ) -> Tensor:
        """Call a layer under a new name, or again if it was called with the same arrays."""
        names = tuple(each.name for each in sources)
        key = _key(call, layer, sources) if names and all(names) else None
        if key in self._layers:
            named, _ = self._layers[key]
        else:
            named = layer.replace(name=self._unique(call.node, names))
            for here, array in weights.items():
                self.weights[f"{named.name}/{here}"] = np.array(array, np.float32, order="C")
            self.frozen += [f"{named.name}/{each}" for each in frozen]
            if key is not None:
                self._layers[key] = named, tuple(sources)  # kept, as the key has their ids
        stand_ins = [
            Input(t.shape, cast(DataType, t.dtype), f"x{i}") for i, t in enumerate(tensors)
        ]
        (made,) = Model(stand_ins, named(*stand_ins)).output_types.values()
        sizes = tuple(int(size or 0) for size in made.shape[1:])
        return Tensor(named(*(t.symbol for t in tensors)), sizes, made.dtype)

    def _unique(self, node: Any, names: Sequence[str]) -> str:
        """Return a name for a layer: of its weights, else of its node."""
        found = (
            re.sub(r"[./]?[^./]*$", "", name) for name in names if not name.startswith("onnx::")
        )
        given = next(filter(None, found), "") or node.name or node.op_type.lower()
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", given).strip("_") or "layer"
        self._names[plain] += 1
        count = self._names[plain]
        return plain if count == 1 else self._unique_end(plain, count)

    def _unique_end(self, plain: str, count: int) -> str:
        while (name := f"{plain}_{count - 1}") in self._names:
            count += 1
        self._names[name] += 1
        return name


def _key(call: Call, layer: AbstractLayer, sources: Sequence[Known]) -> tuple[Any, ...]:
    """Return what is equal for nodes that compute the same with the same arrays."""
    places = tuple(isinstance(x, Known) for x in call.inputs)
    given = tuple(sorted(each.SerializeToString() for each in call.node.attribute))
    return (repr(layer), call.node.op_type, given, places, tuple(map(id, sources)))

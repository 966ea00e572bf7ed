"""A program compiled into Cells that run in GRAPH_MODE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import nn, ops

from dnnbridge.backend import Array
from dnnbridge.graph import TensorType
from dnnbridge.program import Program
from dnnbridge_mindspore.generator import generate
from dnnbridge_mindspore.modules import import_source


class MindSporeExecutable:
    """A program and its Parameters."""

    def __init__(self, program: Program) -> None:
        self._program = program
        trainable = {parameter.name for parameter in program.parameters}
        self._state = {
            name: ms.Parameter(
                ms.Tensor(np.zeros(type.concrete(1), np.float32)),
                name=name,
                requires_grad=name in trainable,
            )
            for name, type in program.state.items()
        }
        self._cells: dict[str, nn.Cell] = {}

    def run(self, function: str, feeds: Mapping[str, Array], steps: int) -> dict[str, Array]:
        described = self._program.functions[function]
        wanted = self._program.feeds(function)
        arrays = [_converted(feeds[name], type) for name, type in wanted.items()]
        cell = self._cell(function)
        with graph_mode():
            if described.writes:
                stacks = cell(ms.Tensor(steps, ms.int32), *map(ms.Tensor, arrays))
                results = [stack.asnumpy()[:steps].copy() for stack in stacks]
            else:
                rows = [cell(*(ms.Tensor(array[k]) for array in arrays)) for k in range(steps)]
                results = [
                    np.stack([v.asnumpy() for v in column]) for column in zip(*rows, strict=True)
                ]
        return dict(zip(described.results, results, strict=True))

    def read(self) -> dict[str, Array]:
        return {name: array.asnumpy().copy() for name, array in self._state.items()}

    def write(self, values: Mapping[str, Array]) -> None:
        with graph_mode():
            for name, value in values.items():
                # Only assign reaches the buffer that a compiled graph holds.
                ops.assign(self._state[name], ms.Tensor(np.asarray(value, np.float32)))

    def _cell(self, function: str) -> nn.Cell:
        if function not in self._cells:
            source = generate(self._program.functions[function], self._program.state)
            module = import_source(function, source)
            self._cells[function] = module.Generated(self._state).set_train(function == "train")
        return self._cells[function]


@contextmanager
def graph_mode() -> Iterator[None]:
    """Run in GRAPH_MODE and give the caller's mode back."""
    before: Any = ms.get_context("mode")
    ms.set_context(mode=ms.GRAPH_MODE)
    try:
        yield
    finally:
        ms.set_context(mode=before)


def _converted(array: Array, type: TensorType) -> Array:
    return np.ascontiguousarray(array, type.dtype)

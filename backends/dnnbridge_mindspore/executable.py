"""A program compiled into Cells that run in GRAPH_MODE."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import nn, ops

from dnnbridge.backend import (
    Array,
    Function,
    Program,
    Rows,
    Waiting,
    set_aside,
    unchanged,
    uncollected,
)
from dnnbridge_mindspore import disk_cache, kernels
from dnnbridge_mindspore.generator import generate, loops_inside, recomputes
from dnnbridge_mindspore.meeting import SIMULATION
from dnnbridge_mindspore.modules import import_source
from dnnbridge_mindspore.serials import SERIALS
from dnnbridge_mindspore.signals import HELD, LINUX, KeptSignals
from dnnbridge_mindspore.tables import Tables

log = logging.getLogger(__name__)

LOCK = threading.RLock()
"""MindSpore can compile or run graphs in only one thread at a time."""

SIGNALS = KeptSignals() if LINUX else nullcontext()

UNEXPECTED = "Framework Unexpected Exception Raised"
"""MindSpore says this of an error in itself.

One of some 20,000 compilations failed so ("Fail to get eval result"), and passed when it was tried
again.
"""

TRIES = 2


class MindSporeExecutable:
    """A program and its Parameters."""

    def __init__(self, program: Program, tables: Tables) -> None:
        self._tables = tables
        self._functions, self._batch = program.functions, program.batch_size or 0
        self._looping = {name for name, f in program.functions.items() if loops_inside(f)}
        self._real = np.dtype(program.variable_dtype)
        self._state = {
            name: ms.Parameter(
                ms.Tensor(np.zeros(array.shape, self._real)),
                name=name,
                requires_grad=array.trainable,
            )
            for name, array in program.state.items()
        }
        self._cells: dict[str, nn.Cell] = {}
        self._compiling: dict[str, Callable[[Sequence[Any]], Any]] = {}
        self._shapes: set[tuple[Any, ...]] = set()
        self._serial, self._forgotten, self._recompute = next(SERIALS), 0, True

    @property
    def compilations(self) -> int:
        kept = sum(len(cell.compile_cache) for cell in self._cells.values())
        return kept + self._forgotten

    def run(self, function: str, feeds: Mapping[str, Any], steps: int) -> dict[str, Array]:
        try:
            return self._run(function, feeds, steps)
        except Exception:
            self._forget()
            raise

    def _forget(self) -> None:
        """Drop all compiled graphs: one that has failed refuses every later call."""
        self._forgotten = self.compilations
        self._cells, self._compiling, self._shapes = {}, {}, set()
        self._serial = next(SERIALS)

    def _run(self, function: str, feeds: Mapping[str, Any], steps: int) -> dict[str, Array]:
        described = self._functions[function]
        given = [(feeds[value.name], value.dtype) for value in described.feeds]
        with LOCK, graph_mode(), SIGNALS:
            if function in self._looping:
                with unchanged():
                    tensors = _loop(steps, len(given[0][0]), described, self._batch)
                    tensors += [_tensor(*pair) for pair in given]
                stacks = self._call(function, tensors)
                results = [stack.asnumpy()[:steps].copy() for stack in stacks]
            else:
                rows = [
                    self._call(function, [_tensor(a[k], dtype) for a, dtype in given])
                    for k in range(steps)
                ]
                columns = zip(*rows, strict=True)
                results = [np.stack([value.asnumpy() for value in column]) for column in columns]
        return dict(zip(described.results, results, strict=True))

    def keep(self, arrays: Mapping[str, Array]) -> Rows:
        kept = {name: ms.Tensor(array) for name, array in arrays.items()}
        gather, serial, shapes = kernels.Gather(), next(SERIALS), set[tuple[int, ...]]()

        def rows(index: Array) -> dict[str, ms.Tensor]:
            given = serial, ms.Tensor(index), *kept.values()
            with LOCK, graph_mode(), SIGNALS:
                if index.shape not in shapes:
                    _persistently(partial(gather.compile, *given))
                    shapes.add(index.shape)
                made = gather(*given)
            return dict(zip(kept, made, strict=True))

        return rows

    def read(self) -> dict[str, Array]:
        return {name: array.asnumpy().copy() for name, array in self._state.items()}

    def write(self, values: Mapping[str, Array]) -> None:
        with LOCK, graph_mode(), SIGNALS:
            for name, value in values.items():
                # Only assign reaches the buffer that a compiled graph holds.
                ops.assign(self._state[name], ms.Tensor(np.asarray(value, self._real)))

    def _call(self, function: str, tensors: list[Any]) -> Any:
        shapes = function, *(tensor.shape for tensor in tensors)
        if shapes not in self._shapes:
            self._compile(function, tensors, shapes[1:])
            self._shapes.add(shapes)
        if SIMULATION in os.environ:
            return _simulated(self._functions[function], tensors)
        return self._cells[function](*tensors, self._serial)

    def _compile(self, function: str, tensors: list[Any], shapes: Sequence[Any]) -> None:
        def compile() -> None:
            cell = self._cell(function)
            with self._compiling[function](shapes):
                cell.compile(*tensors, self._serial)

        try:
            _persistently(compile, self._forget)
        except RuntimeError:
            if not self._recompute or not recomputes(self._functions[function]):
                raise
            log.warning("MindSpore cannot compile layers of remat again, so they keep their values")
            self._recompute = False
            self._forget()
            _persistently(compile, self._forget)

    def _cell(self, function: str) -> nn.Cell:
        if function not in self._cells:
            described = self._functions[function]
            source, constants = generate(described, self._tables, self._recompute)
            arrays = [op.array.astype(op.dtype) for op in constants]
            tensors = [ms.Tensor(array) for array in arrays]
            self._compiling[function] = partial(disk_cache.kept, source, arrays)
            made = import_source(function, source).Generated(self._state, tensors)
            self._cells[function] = made.set_train(described.training)
        return self._cells[function]


def _loop(steps: int, rows: int, function: Function, batch: int) -> list[Any]:
    """Return the number of steps, the indices of the rows, and zeros for the results.

    Only a function of a fixed batch size writes state and has results with a row per example.

    They are inputs, as MindSpore takes long to compile operations that make them.
    """
    types = [value.type for value in function.graph.outputs[: len(function.results)]]
    zeros = [np.zeros((rows, *type.concrete(batch)), type.dtype) for type in types]
    numbers = np.arange(rows, dtype=np.int32)
    return [ms.Tensor(steps, ms.int32), *map(ms.Tensor, [numbers, *zeros])]


def _simulated(function: Function, tensors: list[Any]) -> list[Any]:
    """Return zeros for results: in a simulation all numbers are 0, and no loop would end."""
    if loops_inside(function):
        return tensors[2 : 2 + len(function.results)]
    given = zip(function.feeds, tensors, strict=True)
    rows = next((t.shape[v.shape.index(None)] for v, t in given if None in v.shape), 1)
    types = [value.type for value in function.graph.outputs]
    return [ms.Tensor(np.zeros(type.concrete(rows), type.dtype)) for type in types]


def _tensor(array: Any, dtype: str) -> Any:
    """Return a feed as a tensor; copy only if dtype or order differ."""
    if isinstance(array, ms.Tensor):
        return array
    return ms.Tensor.from_numpy(np.asarray(array, dtype, order="C"))


def _persistently(compile: Callable[[], object], forget: Callable[[], None] = lambda: None) -> None:
    """Compile, and try again after an error of MindSpore itself."""
    for rest in reversed(range(TRIES)):
        try:
            with _compiling():
                compile()
            return
        except RuntimeError as error:
            if not rest or UNEXPECTED not in str(error):
                raise
            forget()


@contextmanager
def _compiling() -> Iterator[None]:
    """Keep garbage and signals away while a Cell is compiled.

    MindSpore collects garbage before it compiles. A Cell that dies then frees its graph in the
    middle of it, and an exception that a signal raises in a __del__ would be lost.
    `SIGNALS` must see a SIGTERM, which may be a Ctrl-C.
    """
    with unchanged(), Waiting(True, leave=HELD), uncollected(), set_aside():
        yield


@contextmanager
def graph_mode() -> Iterator[None]:
    """Run in GRAPH_MODE and restore the caller's mode."""
    before: Any = ms.get_context("mode")
    if before == ms.GRAPH_MODE:  # setting it again takes as long as a small step
        yield
        return
    ms.set_context(mode=ms.GRAPH_MODE)
    try:
        yield
    finally:
        ms.set_context(mode=before)

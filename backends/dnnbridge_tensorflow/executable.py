"""A program compiled into `tf.function`s; those that train run many steps per call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from dnnbridge.backend import (
    ALIGNMENT,
    Array,
    Function,
    Program,
    Rows,
    device_kind,
    flatten,
    unchanged,
    uncollected,
)
from dnnbridge_tensorflow.claims import CLAIMS
from dnnbridge_tensorflow.interpreter import traced
from dnnbridge_tensorflow.lowerings import DTYPES, NATIVE, Lowerings, lowerings_on
from dnnbridge_tensorflow.probe import place_of
from dnnbridge_tensorflow.workers import Meeting
from dnnbridge_tensorflow.xla import is_worthwhile

LARGE = 4096
"""Smallest size in bytes of an array shared with TensorFlow; smaller ones are faster to copy."""

Tensor = Any
Compiled = Callable[..., list[Tensor]]


class TensorFlowExecutable:
    """A program and its variables on a device, or on several that share each batch.

    Args:
        program: the program to run.
        device: its name.
        meeting: the workers of this program, if there are several.
    """

    def __init__(self, program: Program, device: str, meeting: Meeting | None = None) -> None:
        self._functions, self._device = program.functions, place_of(device)
        self._real, self._native = DTYPES[program.variable_dtype], NATIVE[device_kind(device)]
        self._tables = [lowerings_on(device, xla) for xla in (False, True)]
        self._meeting = meeting
        self._each = []
        kind = device_kind(device)
        own = [place_of(f"{kind}:{number}") for number in range(meeting.here if meeting else 0)]
        for place in own or [self._device]:
            with tf.device(place):
                made = {
                    n: tf.Variable(tf.zeros(a.shape, self._real)) for n, a in program.state.items()
                }
            self._each.append(made)
        self._xla = {
            name
            for name, function in program.functions.items()
            if not function.divided and is_worthwhile(function, program)
        }
        self._compiled: dict[tuple[str, int, bool], Compiled] = {}
        self._shapes: set[tuple[str, int, int]] = set()

    @property
    def compilations(self) -> int:
        return len(self._shapes)

    def run(self, function: str, feeds: Mapping[str, Any], steps: int) -> dict[str, Array]:
        described = self._functions[function]
        parts = self._meeting.parts(described, feeds) if self._meeting else [feeds]
        given = [part[value.name] for part in parts for value in described.feeds]
        dtypes = [DTYPES[value.dtype] for value in described.feeds] * len(parts)
        with tf.device(self._device):
            single = not described.writes and len(given[0]) == 1
            run = self._one_step if single else self._all_steps
            results = run(function, described, given, dtypes, steps)
        return dict(zip(described.results, results, strict=True))

    def keep(self, arrays: Mapping[str, Array]) -> Rows | None:
        if len(self._each) > 1:
            return None  # each device needs its own rows
        with tf.device(self._device):
            kept = {name: tf.constant(array) for name, array in arrays.items()}

        def rows(index: Array) -> dict[str, Tensor]:
            with tf.device(self._device):
                here = tf.constant(index)
                return {name: tf.gather(tensor, here) for name, tensor in kept.items()}

        return rows

    def read(self) -> dict[str, Array]:
        return {name: variable.numpy() for name, variable in self._each[0].items()}

    def write(self, values: Mapping[str, Array]) -> None:
        for variables in self._each:
            for name, value in values.items():
                variables[name].assign(np.asarray(value, self._real.as_numpy_dtype))

    def _all_steps(
        self, function: str, described: Function, given: list[Any], dtypes: list[Any], steps: int
    ) -> list[Array]:
        with unchanged():
            tensors = [_tensor(array, dtype) for array, dtype in zip(given, dtypes, strict=True)]
            batch, rows = _batch(described, tensors), 0
            if function in self._xla:
                if tensors[0].shape[0] == 1:  # XLA rounds differently in a loop of one step
                    tensors = [tf.concat([tensor, tensor], 0) for tensor in tensors]
                rows = tensors[0].shape[0]
            self._shapes.add((function, batch, rows))
            compiled, count = self._compile(function, batch, True), tf.constant(steps)
        made = compiled(count, *tensors)
        return [stack.numpy()[:steps] for stack in made]

    def _one_step(
        self, function: str, described: Function, given: list[Any], dtypes: list[Any], steps: int
    ) -> list[Array]:
        tensors = [_tensor(array[0], dtype) for array, dtype in zip(given, dtypes, strict=True)]
        batch = _batch(described, tensors)
        self._shapes.add((function, batch, 1))
        return [made.numpy()[None] for made in self._compile(function, batch, False)(*tensors)]

    def _compile(self, function: str, batch: int, loops: bool) -> Compiled:
        """Return a function for one batch size, so that shapes are known when it is compiled."""
        if (function, batch, loops) not in self._compiled:
            described = self._functions[function]
            types = [value.type for value in described.feeds]
            if described.divided and self._meeting:
                types *= self._meeting.here
            shapes: list[list[int | None]] = [[*type.concrete(batch)] for type in types]
            table = self._tables[function in self._xla]
            if described.divided and self._meeting:
                each = [self._step(described, table, variables) for variables in self._each]
                step = self._meeting.step_of(each)
            else:
                step = self._step(described, table, self._each[0])
            if loops:
                block = _loop(step, described)
                signature = [tf.TensorSpec([], tf.int32)]
                shapes = [[None, *shape] for shape in shapes]
            else:
                block, signature = _one(step), []
            signature += [
                tf.TensorSpec(shape, DTYPES[type.dtype])
                for shape, type in zip(shapes, types, strict=True)
            ]
            xla = function in self._xla or None
            whole = tf.function(block, signature, autograph=False, jit_compile=xla)
            # Calling the concrete function skips the search for a matching signature.
            with uncollected():
                self._compiled[function, batch, loops] = whole.get_concrete_function()
        return self._compiled[function, batch, loops]

    def _step(
        self, described: Function, table: Lowerings, variables: Mapping[str, Tensor]
    ) -> Callable[[list[Tensor]], list[Tensor]]:
        flat = flatten(
            described, CLAIMS, rows=True, native=self._native, recompute=lambda body: True
        )
        places = {
            value: ([variables[n] for n in names], moved)
            for value, (names, moved) in flat.places.items()
        }
        tables = {value: variables[name] for value, name in flat.tables.items()}
        count = len(described.results)

        def step(feeds: list[Tensor]) -> list[Tensor]:
            given = dict(zip(described.feeds, feeds, strict=True)) | tables
            given |= {value: variables[name].read_value() for value, name in flat.reads.items()}
            known = [given.get(v) for v in flat.graph.inputs]
            outputs = traced(flat.graph, known, table, places)
            for name, value in zip(described.writes, outputs[count:], strict=True):
                if value is not None:
                    variables[name].assign(value)
            return outputs[:count]

        return step


def _one(step: Callable[[list[Tensor]], list[Tensor]]) -> Compiled:
    return lambda *feeds: step(list(feeds))


def _loop(step: Callable[[list[Tensor]], list[Tensor]], described: Function) -> Compiled:
    """Return the loop over the steps of a call; a new number of steps needs no compilation."""
    types = [value.type for value in described.graph.outputs[: len(described.results)]]

    def block(steps: Tensor, *feeds: Tensor) -> list[Tensor]:
        rows = tf.shape(feeds[0])[0]

        def body(k: Tensor, *stacks: Tensor) -> list[Tensor]:
            made = step([feed[k] for feed in feeds])
            return [k + 1, *(s.write(k, m) for s, m in zip(stacks, made, strict=True))]

        stacks = [
            tf.TensorArray(DTYPES[t.dtype], size=rows, element_shape=list(t.shape)) for t in types
        ]
        loop = tf.while_loop(lambda k, *_: k < steps, body, [tf.constant(0), *stacks])
        return [stack.stack() for stack in loop[1:]]

    return block


def _batch(described: Function, tensors: list[Tensor]) -> int:
    """Return the batch size, from the first feed that has a batch axis."""
    for value, tensor in zip(described.feeds, tensors, strict=True):
        if None in value.shape:
            return int(tensor.shape[value.shape.index(None) - value.type.rank])
    return 0


def _tensor(array: Any, dtype: Any) -> Tensor:
    """Return a feed as a tensor; large aligned arrays are shared instead of copied."""
    if isinstance(array, tf.Tensor):
        return array
    made = np.asarray(array, dtype.as_numpy_dtype)
    if made.nbytes < LARGE or made.ctypes.data % ALIGNMENT or not made.flags.carray:
        return tf.convert_to_tensor(made)
    return tf.experimental.dlpack.from_dlpack(made.__dlpack__())

"""A program compiled into `tf.function`s that run many steps a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from dnnbridge.arrays import Array
from dnnbridge.backend import claimed_by
from dnnbridge.graph import TensorType, inline
from dnnbridge.program import Program
from dnnbridge_tensorflow.claims import CLAIMS
from dnnbridge_tensorflow.interpreter import evaluate
from dnnbridge_tensorflow.lowerings import DTYPES

Tensor = Any


class TensorFlowExecutable:
    """A program and its variables on a device."""

    def __init__(self, program: Program, device: str) -> None:
        self._program, self._device = program, f"/{device.upper()}:0"
        self.compilations = 0
        with tf.device(self._device):
            self._variables = {
                name: tf.Variable(tf.zeros(array.shape)) for name, array in program.state.items()
            }
        self._blocks = {name: self._block(name) for name in program.functions}

    def run(self, function: str, feeds: Mapping[str, Array], steps: int) -> dict[str, Array]:
        wanted = self._program.functions[function].feeds
        with tf.device(self._device):
            tensors = [_tensor(feeds[value.name], value.type) for value in wanted]
            results = self._blocks[function](tf.constant(steps), *tensors)
        names = self._program.functions[function].results
        return {name: result.numpy() for name, result in zip(names, results, strict=True)}

    def read(self) -> dict[str, Array]:
        return {name: variable.numpy() for name, variable in self._variables.items()}

    def write(self, values: Mapping[str, Array]) -> None:
        for name, value in values.items():
            self._variables[name].assign(np.asarray(value, np.float32))

    def _block(self, function: str) -> Callable[..., list[Tensor]]:
        """Compile the loop over the steps of a call; no shape of a feed compiles it anew."""
        step = self._step(function)
        described = self._program.functions[function]
        types = [value.type for value in described.graph.outputs[: len(described.results)]]
        signature = [tf.TensorSpec([], tf.int32)] + [
            tf.TensorSpec([None, *feed.shape], DTYPES[feed.dtype]) for feed in described.feeds
        ]

        def block(steps: Tensor, *feeds: Tensor) -> list[Tensor]:
            self.compilations += 1  # this is Python: it runs when the function is traced

            def body(k: Tensor, *stacks: Tensor) -> list[Tensor]:
                made = step([feed[k] for feed in feeds])
                return [k + 1, *(s.write(k, m) for s, m in zip(stacks, made, strict=True))]

            stacks = [
                tf.TensorArray(DTYPES[t.dtype], size=steps, element_shape=list(t.shape))
                for t in types
            ]
            loop = tf.while_loop(lambda k, *_: k < steps, body, [tf.constant(0), *stacks])
            return [stack.stack() for stack in loop[1:]]

        compiled: Callable[..., list[Tensor]] = tf.function(
            block, input_signature=signature, autograph=False
        )
        return compiled

    def _step(self, function: str) -> Callable[[list[Tensor]], list[Tensor]]:
        described = self._program.functions[function]
        graph = inline(described.graph, claimed_by(CLAIMS))
        count = len(described.results)

        def step(feeds: list[Tensor]) -> list[Tensor]:
            rest = iter(feeds)
            inputs = [
                self._variables[described.state[v]].read_value()
                if v in described.state
                else next(rest)
                for v in graph.inputs
            ]
            outputs = evaluate(graph, inputs)
            for name, value in zip(described.writes, outputs[count:], strict=True):
                self._variables[name].assign(value)
            return outputs[:count]

        return step


def _tensor(array: Array, type: TensorType) -> Tensor:
    return tf.convert_to_tensor(np.asarray(array, type.dtype))

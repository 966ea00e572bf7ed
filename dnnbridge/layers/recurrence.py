"""What recurrent layers share: projection, masks, dropout, direction, the loop over time."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from dnnbridge import ops
from dnnbridge.base.randomness import Bernoulli
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Call, Dim, Node, Value
from dnnbridge.graph.types import shape_text
from dnnbridge.initializers import (
    AbstractInitializer,
    InitializerField,
    RandomUniform,
)
from dnnbridge.layers.weights import (
    WithActivity,
    WithBias,
    WithKernel,
    WithRecurrentKernel,
    penalised,
    weights,
)
from dnnbridge.specs.fields import Bool, Fraction, PositiveInt, default


class Recurrent(NamedTuple):
    """The weights by which a state acts on the next one, and the bias of that product."""

    kernel: Value
    bias: Value | None

    def project(self, h: Value) -> Value:
        return h @ self.kernel if self.bias is None else h @ self.kernel + self.bias


@dataclass(frozen=True, kw_only=True)
class AbstractRecurrent(WithKernel, WithRecurrentKernel, WithBias, WithActivity):
    """Base of recurrent layers: takes (batch, time, in), gives (batch, units), or all steps

    A second input, where given, is a mask of shape (batch, time): at steps where it is 0 the
    state is carried on and the output is that of the step before, as in Keras. A subclass says
    how many blocks its kernels have, how many states there are, and what a step does.

    Args:
        units: size of the state.
        use_bias: whether to add biases.
        kernel_initializer: start of the kernel, (in, blocks · units).
        recurrent_initializer: start of the recurrent kernel, (units, blocks · units).
        bias_initializer: start of the bias, (blocks · units,).
        return_sequences: give the output of every step, (batch, time, units), not the last.
        go_backwards: begin with the last step; the outputs are in the order of computation.
        dropout: fraction of the inputs dropped in training, the same at every step and gate.
        recurrent_dropout: fraction of the state dropped where it meets its kernel, likewise
            (Gal & Ghahramani, 2016). Keras draws a mask per gate.
        kernel_regularizer: penalty of the kernel; likewise recurrent_ and bias_regularizer.
        activity_regularizer: penalty of the result, the mean over the examples; Keras' SimpleRNN
            takes one and does nothing with it.
        kernel_constraint: what updates keep the kernel in; likewise recurrent_, bias_constraint.
    """

    units: PositiveInt
    use_bias: Bool = True
    kernel_initializer: InitializerField = default("glorot_uniform")
    recurrent_initializer: InitializerField = default("orthogonal")
    bias_initializer: InitializerField = default("zeros")
    return_sequences: Bool = False
    go_backwards: Bool = False
    dropout: Fraction = 0.0
    recurrent_dropout: Fraction = 0.0

    blocks: ClassVar[int] = 1
    states: ClassVar[int] = 1

    @property
    @abstractmethod
    def has_two_biases(self) -> bool:
        """Whether the product with the state has a bias of its own: the bias has two rows."""

    @abstractmethod
    def step(
        self, scope: Scope, x: Value, h: Value, states: tuple[Value, ...], recurrent: Recurrent
    ) -> tuple[Value, ...]:
        """Write a step: return the next states, the first of which is the output.

        Args:
            scope: of the step.
            x: the projected input, all blocks.
            h: the first state, after dropout.
            states: the states.
            recurrent: what h is projected by.
        """

    def starting_bias(self) -> AbstractInitializer:
        """Return how the bias starts."""
        return self.bias_initializer

    def emit(self, scope: Scope, x: Value, mask: Value | None = None) -> Value:
        length = _check(scope, x, mask)
        x = _dropped(scope, "input_mask", x, self.dropout)
        projected, recurrent = self._weights(scope, x)
        start = _zeros(x, self.units)
        keep = _mask(scope, "state_mask", start.shape, self.recurrent_dropout)
        sequences = [swapped(projected)]
        if mask is not None:
            sequences.append(swapped(ops.reshape(mask, (*mask.shape, 1))))
        if self.go_backwards:
            sequences = [ops.reverse(each, 0) for each in sequences]

        def step(
            inner: Scope, states: tuple[Value, ...], slices: tuple[Value, ...]
        ) -> tuple[tuple[Value, ...], tuple[Value, ...]]:
            h = states[0] if keep is None else states[0] * keep
            made = self.step(inner, slices[0], h, states, recurrent)
            if mask is not None:
                real = slices[1] > 0.5
                made = tuple(ops.where(real, a, b) for a, b in zip(made, states, strict=True))
            return made, made[:1] if self.return_sequences else ()

        last, outputs = scope.scan(step, [start] * self.states, sequences, length)
        y = swapped(outputs[0]) if self.return_sequences else last[0]
        return penalised(scope, y, self.activity_regularizer)

    def _weights(self, scope: Scope, x: Value) -> tuple[Value, Recurrent]:
        """Declare the weights; return the inputs of all steps projected, and the other half."""
        width = self.blocks * self.units
        kernel = weights(scope, self, "kernel", (x.shape[-1], width))
        recurrent = weights(scope, self, "recurrent_kernel", (self.units, width), "recurrent")
        if not self.use_bias:
            return x @ kernel, Recurrent(recurrent, None)
        shape = (2, width) if self.has_two_biases else (width,)
        bias = weights(scope, self, "bias", shape, start=self.starting_bias())
        if not self.has_two_biases:
            return x @ kernel + bias, Recurrent(recurrent, None)
        first, second = (ops.slice(bias, (row, 0), (1, width)) for row in (0, 1))
        return x @ kernel + first, Recurrent(recurrent, second)


def is_of_sequence_alone(node: Node) -> bool:
    """Say whether a call has neither a mask, nor dropout, nor a penalty of its result."""
    assert isinstance(node.op, Call)
    weights = 3 if node.op.spec.use_bias else 2  # type: ignore[attr-defined]
    return len(node.inputs) == 1 + weights and len(node.outputs) == 1


def mindspore_arguments(units: int) -> dict[str, Any]:
    """Return how MindSpore's recurrent cells start: every weight and bias U(±1/√units)."""
    limit = 1.0 / math.sqrt(units)
    start = RandomUniform(-limit, limit)
    names = ("kernel_initializer", "recurrent_initializer", "bias_initializer")
    return dict.fromkeys(names, start) | {"return_sequences": True}


def swapped(x: Value) -> Value:
    """Exchange the batch and time."""
    return ops.transpose(x, (1, 0, *range(2, x.rank)))


def split(x: Value, count: int) -> tuple[Value, ...]:
    """Return equal blocks of the last axis of (batch, n)."""
    size = (x.shape[1] or 0) // count
    return tuple(ops.slice(x, (0, i * size), (x.shape[0], size)) for i in range(count))


def _check(scope: Scope, x: Value, mask: Value | None) -> int:
    """Return the number of steps, or raise."""
    scope.require(
        x.rank == 3,
        "a recurrent layer takes (batch, time, features)",
        got=f"shape ({shape_text(x.shape)})",
        hint="Use Reshape, or Flatten inside TimeDistributed.",
    )
    scope.require(
        mask is None or (mask.shape == x.shape[:2] and mask.dtype == "float32"),
        "the mask is float32 of shape (batch, time)",
        got="" if mask is None else str(mask.type),
    )
    return scope.known(x.shape[1], "the number of steps")


def _zeros(x: Value, units: int) -> Value:
    """Return zeros of shape (batch, units), whatever numbers x has."""
    one = ops.reshape(ops.slice(x, (0, 0, 0), (x.shape[0], 1, 1)), (x.shape[0], 1))
    return ops.broadcast_to(ops.cast(one > one, "float32"), (x.shape[0], units))


def _dropped(scope: Scope, name: str, x: Value, rate: float) -> Value:
    batch, _, features = x.shape
    keep = _mask(scope, name, (batch, features), rate)
    return x if keep is None else x * ops.reshape(keep, (batch, 1, features))


def _mask(scope: Scope, name: str, shape: tuple[Dim, ...], rate: float) -> Value | None:
    """Draw what to multiply by, once for all steps; None where nothing is dropped."""
    if not scope.sampling or rate == 0.0:
        return None
    return scope.random(name, shape, Bernoulli(1.0 - rate)) * (1.0 / (1.0 - rate))

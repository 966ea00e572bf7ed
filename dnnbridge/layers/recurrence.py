"""Base of recurrent layers: projection, masks, dropout, direction and the loop over time."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from dnnbridge import ops
from dnnbridge.base.randomness import Bernoulli
from dnnbridge.emit.scope import Scope
from dnnbridge.emit.time_axis import swapped
from dnnbridge.graph import Call, Dim, Node, Value
from dnnbridge.graph.types import shape_text
from dnnbridge.initializers import (
    AbstractInitializer,
    InitializerField,
    RandomUniform,
)
from dnnbridge.layers.states import AbstractStates, check_states
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
    """The recurrent kernel, and the bias of its product with the state."""

    kernel: Value
    bias: Value | None

    def project(self, h: Value) -> Value:
        return h @ self.kernel if self.bias is None else h @ self.kernel + self.bias


@dataclass(frozen=True, kw_only=True)
class AbstractRecurrent(AbstractStates, WithKernel, WithRecurrentKernel, WithBias, WithActivity):
    """Base of recurrent layers: maps (batch, time, in) to (batch, units), or to all steps

    An optional second input is a mask of shape (batch, time); without it, the mask of the input is
    used, if it has one. At steps where it is 0, state and output stay those of the step before, as
    in Keras. A subclass defines the number of blocks of its kernels, the names of its states, and
    the step.

    In a `Model`, `layer(x, initial_state=[…])` starts with the given states instead of zeros. With
    `return_state` a call returns a tuple of the output and the last states: `y, h, c = layer(x)`.

    Args:
        units: size of the state.
        use_bias: whether to add biases.
        kernel_initializer: initializer of the kernel (in, blocks · units).
        recurrent_initializer: initializer of the recurrent kernel (units, blocks · units).
        bias_initializer: initializer of the bias (blocks · units,).
        return_sequences: return the output of every step, (batch, time, units), not only the last.
        return_state: also return the states after the last step, each (batch, units).
        go_backwards: start with the last step; outputs are in the order of computation.
        stateful: start each batch with the last states of the batch before, also in `evaluate` and
            `predict`, until `run.reset_states()`. Row i of a batch continues row i of the batch
            before, so train with `shuffle=False`. The model needs `Input(batch_size=…)`.
        zero_output_for_mask: with return_sequences, whether the outputs at steps with mask 0 are 0.
        dropout: fraction of the inputs dropped in training, the same at every step and gate.
        recurrent_dropout: fraction of the state dropped before the product with the recurrent
            kernel, the same at every step and gate (Gal & Ghahramani, 2016). Keras draws one mask
            per gate.
        kernel_regularizer: penalty on the kernel; likewise recurrent_ and bias_regularizer.
        activity_regularizer: penalty on each output, the mean over the examples. SimpleRNN of Keras
            ignores this argument.
        kernel_constraint: constraint on the kernel after each update; likewise
            recurrent_constraint and bias_constraint.
    """

    units: PositiveInt
    use_bias: Bool = True
    kernel_initializer: InitializerField = default("glorot_uniform")
    recurrent_initializer: InitializerField = default("orthogonal")
    bias_initializer: InitializerField = default("zeros")
    return_sequences: Bool = False
    return_state: Bool = False
    go_backwards: Bool = False
    stateful: Bool = False
    zero_output_for_mask: Bool = False
    dropout: Fraction = 0.0
    recurrent_dropout: Fraction = 0.0

    blocks: ClassVar[int] = 1
    state_names: ClassVar[tuple[str, ...]] = ("h",)

    @property
    def returns_states(self) -> bool:
        return self.return_state

    @property
    @abstractmethod
    def has_two_biases(self) -> bool:
        """Whether the product with the state has its own bias, so that the bias has two rows."""

    @abstractmethod
    def step(
        self, scope: Scope, x: Value, h: Value, states: tuple[Value, ...], recurrent: Recurrent
    ) -> tuple[Value, ...]:
        """Write a step and return the next states; the first one is the output.

        Args:
            scope: the scope of the step.
            x: the projected input, with all blocks.
            h: the first state, after dropout.
            states: the states, without dropout.
            recurrent: the recurrent kernel and its bias.
        """

    def starting_bias(self) -> AbstractInitializer:
        """Return the initializer of the bias."""
        return self.bias_initializer

    def emit(
        self,
        scope: Scope,
        x: Value,
        mask: Value | None = None,
        *,
        initial_state: tuple[Value, ...] = (),
    ) -> Value | tuple[Value, ...]:
        mask = scope.mask(x) if mask is None else mask
        length = _check(scope, x, mask)
        if initial_state:
            check_states(scope, initial_state, self.state_names, self.units)
        x = _dropped(scope, "input_mask", x, self.dropout)
        projected, recurrent = self._weights(scope, x)
        start = self._states(scope, x)
        start = initial_state or start
        keep = _mask(scope, "state_mask", start[0].shape, self.recurrent_dropout)
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
            if not self.return_sequences:
                return made, ()
            zero = self.zero_output_for_mask and mask is not None
            return made, (ops.where(slices[1] > 0.5, made[0], 0.0) if zero else made[0],)

        last, outputs = scope.scan(step, start, sequences, length)
        if self.stateful:
            for name, state in zip(self.state_names, last, strict=True):
                scope.carry(name, state)
        y = swapped(outputs[0]) if self.return_sequences else last[0]
        made = (y, *last) if self.return_state else (y,)
        made = tuple(penalised(scope, each, self.activity_regularizer) for each in made)
        return made if self.return_state else made[0]

    def mask_of(self, scope: Scope, *inputs: Value) -> Value | None:
        if not self.return_sequences:
            return None
        return inputs[1] if len(inputs) > 1 else scope.mask(inputs[0])

    def _states(self, scope: Scope, x: Value) -> tuple[Value, ...]:
        """Return the states to start with."""
        if not self.stateful:
            return (_zeros(x, self.units),) * len(self.state_names)
        return tuple(scope.carried(name, (self.units,)) for name in self.state_names)

    def _weights(self, scope: Scope, x: Value) -> tuple[Value, Recurrent]:
        """Declare the weights; return the projected inputs of all steps, and the recurrent part."""
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
    """Return whether a call has no mask, no dropout and no penalty on its result."""
    assert isinstance(node.op, Call)
    weights = 3 if node.op.spec.use_bias else 2  # type: ignore[attr-defined]
    return len(node.inputs) == 1 + weights and len(node.outputs) == 1


def mindspore_arguments(units: int) -> dict[str, Any]:
    """Return the initializers of MindSpore's recurrent layers: U(±1/√units) for all weights."""
    limit = 1.0 / math.sqrt(units)
    start = RandomUniform(-limit, limit)
    names = ("kernel_initializer", "recurrent_initializer", "bias_initializer")
    return dict.fromkeys(names, start) | {"return_sequences": True}


def split(x: Value, count: int) -> tuple[Value, ...]:
    """Return equal blocks of the last axis of (batch, n)."""
    size = (x.shape[1] or 0) // count
    return tuple(ops.slice(x, (0, i * size), (x.shape[0], size)) for i in range(count))


def _check(scope: Scope, x: Value, mask: Value | None) -> int:
    """Return the number of steps, or raise."""
    scope.require(
        x.rank == 3,
        "a recurrent layer needs an input (batch, time, features)",
        got=f"shape ({shape_text(x.shape)})",
        hint="Use Reshape, or Flatten inside TimeDistributed.",
    )
    scope.require(
        mask is None or (mask.shape == x.shape[:2] and mask.dtype == "float32"),
        "the mask must be float32 of shape (batch, time)",
        got="" if mask is None else str(mask.type),
        hint="Put Unmask() before the layer to leave out the mask of its input.",
    )
    return scope.known(x.shape[1], "the number of steps")


def _zeros(x: Value, units: int) -> Value:
    """Return zeros of shape (batch, units), also if x holds NaN or infinity."""
    one = ops.reshape(ops.slice(x, (0, 0, 0), (x.shape[0], 1, 1)), (x.shape[0], 1))
    return ops.broadcast_to(ops.cast(one > one, "float32"), (x.shape[0], units))


def _dropped(scope: Scope, name: str, x: Value, rate: float) -> Value:
    batch, _, features = x.shape
    keep = _mask(scope, name, (batch, features), rate)
    return x if keep is None else x * ops.reshape(keep, (batch, 1, features))


def _mask(scope: Scope, name: str, shape: tuple[Dim, ...], rate: float) -> Value | None:
    """Draw a scaled dropout mask, once for all steps; None without dropout."""
    if not scope.sampling or rate == 0.0:
        return None
    return scope.random(name, shape, Bernoulli(1.0 - rate)) * (1.0 / (1.0 - rate))

"""Base of recurrent layers: projection, masks, dropout, direction and the loop over time."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from dnnbridge import ops
from dnnbridge.base.randomness import Bernoulli
from dnnbridge.emit.scope import Scope
from dnnbridge.emit.time_axis import swapped
from dnnbridge.graph import Call, Dim, Node, TensorType, Value
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
)
from dnnbridge.specs.fields import Bool, Fraction, default

Step = Callable[[Scope, Value, Value, tuple[Value, ...]], tuple[Value, ...]]
"""(scope, x, h, states) -> the next states: a step of a recurrent layer; h is the first state,
after dropout, and the first of the next states is the output."""


@dataclass(frozen=True, kw_only=True)
class AbstractRecurrent(AbstractStates, WithKernel, WithRecurrentKernel, WithBias, WithActivity):
    """Base of recurrent layers: maps (batch, time, …) to the last output, or to those of all steps

    An optional second input is a mask of shape (batch, time); without it, the mask of the input is
    used, if it has one. At steps where it is 0, state and output stay those of the step before, as
    in Keras. A subclass defines the number of blocks of its kernels, the names of its states, and
    the step.

    In a `Model`, `layer(x, initial_state=[…])` starts with the given states instead of zeros. With
    `return_state` a call returns a tuple of the output and the last states: `y, h, c = layer(x)`.

    Args:
        use_bias: whether to add biases.
        kernel_initializer: initializer of the kernel, which multiplies the input.
        recurrent_initializer: initializer of the recurrent kernel, which multiplies the state.
        bias_initializer: initializer of the bias.
        return_sequences: return the output of every step, (batch, time, …), not only the last.
        return_state: also return the states after the last step, each as large as the last output.
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

    axes: ClassVar[int] = 0
    """How many spatial axes an input has at each step."""

    state_names: ClassVar[tuple[str, ...]] = ("h",)

    @property
    def returns_states(self) -> bool:
        return self.return_state

    @abstractmethod
    def state_type(self, scope: Scope, x: Value) -> TensorType:
        """Return the type of each state for an input, or raise if it does not fit."""

    @abstractmethod
    def prepared(self, scope: Scope, x: Value) -> tuple[Value, Step]:
        """Declare the weights; return the sequence of which each step sees a slice, and the step.

        Args:
            scope: the scope of the layer.
            x: the input with channels last, after dropout.
        """

    def enter(self, x: Value, before: int) -> Value:
        """Return an input (before = 2) or a state (before = 1) with channels last."""
        return x

    def leave(self, y: Value, before: int) -> Value:
        """Return a result with channels last in the layout of the layer."""
        return y

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
        length = _check(scope, x, mask, self.axes)
        wanted = self.state_type(scope, x)
        if initial_state:
            check_states(scope, initial_state, self.state_names, wanted)
        x = _dropped(scope, "input_mask", self.enter(x, 2), self.dropout)
        sequence, one_step = self.prepared(scope, x)
        carried = self._states(scope, x, wanted)
        start = tuple(self.enter(each, 1) for each in initial_state or carried)
        keep = _mask(scope, "state_mask", start[0].shape, self.recurrent_dropout)
        sequences = [swapped(sequence)]
        if mask is not None:
            sequences.append(swapped(ops.reshape(mask, (*mask.shape, *(1,) * (1 + self.axes)))))
        if self.go_backwards:
            sequences = [ops.reverse(each, 0) for each in sequences]

        def step(
            inner: Scope, states: tuple[Value, ...], slices: tuple[Value, ...]
        ) -> tuple[tuple[Value, ...], tuple[Value, ...]]:
            h = states[0] if keep is None else states[0] * keep
            made = one_step(inner, slices[0], h, states)
            if mask is not None:
                real = slices[1] > 0.5
                made = tuple(ops.where(real, a, b) for a, b in zip(made, states, strict=True))
            if not self.return_sequences:
                return made, ()
            zero = self.zero_output_for_mask and mask is not None
            return made, (ops.where(slices[1] > 0.5, made[0], 0.0) if zero else made[0],)

        last, outputs = scope.scan(step, start, sequences, length)
        last = tuple(self.leave(each, 1) for each in last)
        if self.stateful:
            for name, state in zip(self.state_names, last, strict=True):
                scope.carry(name, state)
        y = self.leave(swapped(outputs[0]), 2) if self.return_sequences else last[0]
        made = (y, *last) if self.return_state else (y,)
        made = tuple(penalised(scope, each, self.activity_regularizer) for each in made)
        return made if self.return_state else made[0]

    def mask_of(self, scope: Scope, *inputs: Value) -> Value | None:
        if not self.return_sequences:
            return None
        return inputs[1] if len(inputs) > 1 else scope.mask(inputs[0])

    def _states(self, scope: Scope, x: Value, wanted: TensorType) -> tuple[Value, ...]:
        """Return the states to start with, unless a call gives others."""
        if not self.stateful:
            return (_zeros(x, wanted),) * len(self.state_names)
        sizes = tuple(scope.known(size, "the sizes of the states") for size in wanted.shape[1:])
        return tuple(scope.carried(name, sizes) for name in self.state_names)


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
    """Return equal blocks of the last axis."""
    *before, last = x.shape
    size = (last or 0) // count
    first = (0,) * len(before)
    return tuple(ops.slice(x, (*first, i * size), (*before, size)) for i in range(count))


def _check(scope: Scope, x: Value, mask: Value | None, axes: int) -> int:
    """Return the number of steps, or raise."""
    scope.require(
        x.rank == 3 + axes,
        "a recurrent layer needs an input (batch, time, features)"
        if not axes
        else f"needs an input of rank {3 + axes}: batch, time, {axes} spatial axes and channels",
        got=f"shape ({shape_text(x.shape)})",
        hint="Use Reshape, or Flatten inside TimeDistributed."
        if not axes
        else "Reshape the input, or use the 1D, 2D or 3D layer that fits its axes.",
    )
    scope.require(
        mask is None or (mask.shape == x.shape[:2] and mask.dtype == "float32"),
        "the mask must be float32 of shape (batch, time)",
        got="" if mask is None else str(mask.type),
        hint="Put Unmask() before the layer to leave out the mask of its input.",
    )
    return scope.known(x.shape[1], "the number of steps")


def _zeros(x: Value, wanted: TensorType) -> Value:
    """Return zeros of a type, also if x holds NaN or infinity."""
    batch, ones = x.shape[0], (1,) * (x.rank - 1)
    first = ops.slice(x, (0,) * x.rank, (batch, *ones))
    one = ops.reshape(first, (batch, *(1,) * (wanted.rank - 1)))
    return ops.broadcast_to(ops.cast(one > one, "float32"), wanted.shape)


def _dropped(scope: Scope, name: str, x: Value, rate: float) -> Value:
    batch, _, *rest = x.shape
    keep = _mask(scope, name, (batch, *rest), rate)
    return x if keep is None else x * ops.reshape(keep, (batch, 1, *rest))


def _mask(scope: Scope, name: str, shape: tuple[Dim, ...], rate: float) -> Value | None:
    """Draw a scaled dropout mask, once for all steps; None without dropout."""
    if not scope.sampling or rate == 0.0:
        return None
    return scope.random(name, shape, Bernoulli(1.0 - rate)) * (1.0 / (1.0 - rate))

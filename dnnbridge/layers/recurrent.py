"""Recurrent layers, each with the equation of a step."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple, Protocol, Self

from dnnbridge import ops
from dnnbridge.activations import AbstractActivation, ActivationField, Sigmoid, Tanh
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import TensorType, Value
from dnnbridge.initializers import AbstractInitializer, ForgetBias
from dnnbridge.layers.recurrence import (
    AbstractRecurrent,
    Step,
    mindspore_arguments,
    split,
)
from dnnbridge.layers.weights import weights
from dnnbridge.specs.fields import Bool, PositiveInt, default
from dnnbridge.specs.spec import spec


class Recurrent(NamedTuple):
    """The recurrent kernel, and the bias of its product with the state."""

    kernel: Value
    bias: Value | None

    def project(self, h: Value) -> Value:
        return h @ self.kernel if self.bias is None else h @ self.kernel + self.bias


@dataclass(frozen=True, kw_only=True)
class AbstractDenseRecurrent(AbstractRecurrent):
    """Base of recurrent layers of vectors: (batch, time, in) -> (batch, units), or all steps

    A subclass also defines the number of blocks of its kernels: these are (in, blocks · units) and
    (units, blocks · units), and the bias is (blocks · units,).
    """

    units: PositiveInt

    blocks: ClassVar[int] = 1

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

    def state_type(self, scope: Scope, x: Value) -> TensorType:
        return TensorType((x.shape[0], self.units))

    def prepared(self, scope: Scope, x: Value) -> tuple[Value, Step]:
        projected, recurrent = self._weights(scope, x)
        return projected, partial(self._step, recurrent)

    def _step(
        self, recurrent: Recurrent, scope: Scope, x: Value, h: Value, states: tuple[Value, ...]
    ) -> tuple[Value, ...]:
        return self.step(scope, x, h, states, recurrent)

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


@spec
class SimpleRNN(AbstractDenseRecurrent):
    """h ← activation(x @ kernel + bias + h @ recurrent_kernel), starting with h = 0

    Args:
        units: size of the state.
        activation: activation of every step.
        use_recurrent_bias: also add a bias to the product with the state; the bias then has shape
            (2, units). Keras has one bias, MindSpore two. Only their sum acts, but both train.

    The other arguments are as in every recurrent layer.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((7, 3)), SimpleRNN(5, return_sequences=True)]).output_shape
        (None, 7, 5)
    """

    units: PositiveInt
    activation: ActivationField = default("tanh")
    use_recurrent_bias: Bool = False

    @property
    def has_two_biases(self) -> bool:
        return self.use_recurrent_bias

    def step(
        self, scope: Scope, x: Value, h: Value, states: tuple[Value, ...], recurrent: Recurrent
    ) -> tuple[Value, ...]:
        return (scope.call(self.activation, x + recurrent.project(h)),)

    @classmethod
    def mindspore(cls, hidden_size: int, nonlinearity: str = "tanh", **fields: Any) -> Self:
        """Return `mindspore.nn.RNN` with one layer, batch first; it returns all steps."""
        given = mindspore_arguments(hidden_size) | {"use_recurrent_bias": True} | fields
        return cls(hidden_size, nonlinearity, **given)


class Gated(Protocol):
    """A layer with the activations of an LSTM."""

    @property
    def activation(self) -> AbstractActivation: ...
    @property
    def recurrent_activation(self) -> AbstractActivation: ...


def gated(scope: Scope, layer: Gated, blocks: Value, c: Value) -> tuple[Value, Value]:
    """Return the next states h and c of an LSTM from its blocks i, f, g, o and its cell state."""
    activation = layer.activation
    gate = partial(scope.call, layer.recurrent_activation, name="gate")
    i, f, g, o = split(blocks, 4)
    kept = gate(f) * c
    c = kept + gate(i) * scope.call(activation, g)
    return gate(o) * scope.call(activation, c), c


@spec
class LSTM(AbstractDenseRecurrent):
    """c ← f · c + i · g and h ← o · activation(c), with four gates of x and h

    x @ kernel + bias + h @ recurrent_kernel has four blocks, in the order i, f, g, o, as in Keras
    and MindSpore. i, f and o are recurrent_activation of their blocks, and g is activation of its
    block. Both states start with 0. (Hochreiter & Schmidhuber, 1997; Gers et al., 2000)

    Args:
        units: size of each of the two states.
        activation: activation of the candidate g and of the cell state.
        recurrent_activation: activation of the gates.
        unit_forget_bias: initialize the bias of the forget gate with 1 (Jozefowicz et al., 2015).
        use_recurrent_bias: also add a bias to the product with the state; the bias then has shape
            (2, 4 · units). Its rows are MindSpore's bias_ih and bias_hh; Keras has only the first.

    The other arguments are as in every recurrent layer.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((7, 3)), LSTM(5)]).output_shape
        (None, 5)
    """

    units: PositiveInt
    activation: ActivationField = default("tanh")
    recurrent_activation: ActivationField = default("sigmoid")
    unit_forget_bias: Bool = True
    use_recurrent_bias: Bool = False

    blocks: ClassVar[int] = 4
    state_names: ClassVar[tuple[str, ...]] = ("h", "c")

    @property
    def has_two_biases(self) -> bool:
        return self.use_recurrent_bias

    @property
    def is_plain(self) -> bool:
        """Whether its activations are tanh and sigmoid, as in framework kernels."""
        return self.activation == Tanh() and self.recurrent_activation == Sigmoid()

    def starting_bias(self) -> AbstractInitializer:
        start = super().starting_bias()
        return ForgetBias(start) if self.unit_forget_bias else start

    def step(
        self, scope: Scope, x: Value, h: Value, states: tuple[Value, ...], recurrent: Recurrent
    ) -> tuple[Value, ...]:
        return gated(scope, self, x + recurrent.project(h), states[1])

    @classmethod
    def mindspore(cls, hidden_size: int, **fields: Any) -> Self:
        """Return `mindspore.nn.LSTM` with one layer, batch first; it returns all steps."""
        more = {"unit_forget_bias": False, "use_recurrent_bias": True}
        return cls(hidden_size, **(mindspore_arguments(hidden_size) | more | fields))


@spec
class GRU(AbstractDenseRecurrent):
    """h ← z · h + (1 - z) · g, with an update gate z, a reset gate r and a candidate g

    z and r are recurrent_activation of their blocks of x @ kernel + h @ recurrent_kernel + biases.
    With `reset_after`, g = activation(x_g + r · (h @ recurrent_g + bias_g)), as in cuDNN, Keras
    and MindSpore. The bias is then (2, 3 · units), and bias_g is in its second row. Without it,
    g = activation(x_g + (r · h) @ recurrent_g), and the bias is (3 · units,) (Cho et al., 2014).
    The blocks are in Keras' order z, r, g. MindSpore's order is r, z, g, and its bias_ih and
    bias_hh are the rows of the bias.

    Args:
        units: size of the state.
        activation: activation of the candidate.
        recurrent_activation: activation of the gates.
        reset_after: whether to apply r after the product with the recurrent kernel.

    The other arguments are as in every recurrent layer.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((7, 3)), GRU(5)]).summary().parameters
        150
    """

    units: PositiveInt
    activation: ActivationField = default("tanh")
    recurrent_activation: ActivationField = default("sigmoid")
    reset_after: Bool = True

    blocks: ClassVar[int] = 3

    @property
    def has_two_biases(self) -> bool:
        return self.reset_after

    def step(
        self, scope: Scope, x: Value, h: Value, states: tuple[Value, ...], recurrent: Recurrent
    ) -> tuple[Value, ...]:
        activation = self.activation
        gate = partial(scope.call, self.recurrent_activation, name="gate")
        x_z, x_r, x_g = split(x, 3)
        if self.reset_after:
            h_z, h_r, h_g = split(recurrent.project(h), 3)
            z, r = gate(x_z + h_z), gate(x_r + h_r)
            candidate = x_g + r * h_g
        else:
            n, kernel = self.units, recurrent.kernel
            h_z, h_r = split(h @ ops.slice(kernel, (0, 0), (n, 2 * n)), 2)
            z, r = gate(x_z + h_z), gate(x_r + h_r)
            candidate = x_g + (r * h) @ ops.slice(kernel, (0, 2 * n), (n, n))
        g = scope.call(activation, candidate)
        return (z * states[0] + (1.0 - z) * g,)

    @classmethod
    def mindspore(cls, hidden_size: int, **fields: Any) -> Self:
        """Return `mindspore.nn.GRU` with one layer, batch first; it returns all steps."""
        return cls(hidden_size, **(mindspore_arguments(hidden_size) | fields))

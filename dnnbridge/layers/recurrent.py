"""Recurrent layers, each with the equation of a step."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Self

from dnnbridge import ops
from dnnbridge.activations import ActivationField, Sigmoid, Tanh
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.initializers import AbstractInitializer, ForgetBias
from dnnbridge.layers.recurrence import (
    AbstractRecurrent,
    Recurrent,
    mindspore_arguments,
    split,
)
from dnnbridge.specs.fields import Bool, PositiveInt, default
from dnnbridge.specs.spec import spec


@spec
class SimpleRNN(AbstractRecurrent):
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


@spec
class LSTM(AbstractRecurrent):
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
        activation = self.activation
        gate = partial(scope.call, self.recurrent_activation, name="gate")
        i, f, g, o = split(x + recurrent.project(h), 4)
        kept = gate(f) * states[1]
        c = kept + gate(i) * scope.call(activation, g)
        return gate(o) * scope.call(activation, c), c

    @classmethod
    def mindspore(cls, hidden_size: int, **fields: Any) -> Self:
        """Return `mindspore.nn.LSTM` with one layer, batch first; it returns all steps."""
        more = {"unit_forget_bias": False, "use_recurrent_bias": True}
        return cls(hidden_size, **(mindspore_arguments(hidden_size) | more | fields))


@spec
class GRU(AbstractRecurrent):
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

"""Functions with a derivative of their own, in graphs that can be freed.

`tf.custom_gradient` registers a function for each call that it traces. The registry never forgets
it, nor the graph that it refers to, so every compiled function stays in memory. Here one function
is registered, and each graph keeps the derivatives of its own calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

Tensor = Any
Backward = Callable[[Tensor], "Tensor | tuple[Tensor, ...]"]

NAME = "DnnbridgeDerivative"
"""What the operations with a derivative of their own name as their gradient."""

STORE = "dnnbridge_derivatives"
"""Attribute of a graph: the derivatives of its operations, by their names."""


def with_derivative(function: Callable[..., tuple[Tensor, Backward]]) -> Callable[..., Tensor]:
    """Return a function of tensors whose derivative is given.

    Args:
        function: takes tensors and returns its result with a function, which takes the gradient
            of the result and returns that of each tensor.
    """

    def call(*inputs: Tensor) -> Tensor:
        given = [tf.convert_to_tensor(x) for x in inputs]
        result, backward = function(*given)
        graph = result.graph
        with graph.gradient_override_map({"IdentityN": NAME}):
            made, *_ = tf.identity_n([result, *given])
        if not hasattr(graph, STORE):
            setattr(graph, STORE, {})
        getattr(graph, STORE)[made.op.name] = backward
        return made

    return call


@tf.RegisterGradient(NAME)  # type: ignore[untyped-decorator]
def _derivative(op: Any, *gradients: Tensor) -> list[Tensor]:
    made = getattr(op.graph, STORE)[op.name](gradients[0])
    return [None, *(made if isinstance(made, tuple) else (made,))]


def gradients_of(y: Tensor, wrt: Sequence[Tensor]) -> list[Tensor]:
    """Return the gradients of a scalar of the graph that is traced; 0 if it does not depend on x.

    A tape would not know the derivatives above.
    """
    zero = tf.UnconnectedGradients.ZERO
    return list(tf.gradients(y, list(wrt), unconnected_gradients=zero))

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

        def back(gradients: Sequence[Tensor]) -> Sequence[Tensor]:
            made = backward(gradients[0])
            return made if isinstance(made, tuple) else (made,)

        return _with_backward([result], given, back)[0]

    return call


def _with_backward(
    results: Sequence[Tensor],
    given: Sequence[Tensor],
    backward: Callable[[Sequence[Tensor]], Sequence[Tensor]],
) -> list[Tensor]:
    """Return the results as values whose gradients go to what was given, by a function."""
    graph = results[0].graph
    with graph.gradient_override_map({"IdentityN": NAME}):
        made = tf.identity_n([*results, *given])[: len(results)]
    if not hasattr(graph, STORE):
        setattr(graph, STORE, {})
    getattr(graph, STORE)[made[0].op.name] = backward
    return list(made)


@tf.RegisterGradient(NAME)  # type: ignore[untyped-decorator]
def _derivative(op: Any, *gradients: Tensor) -> list[Tensor]:
    made = getattr(op.graph, STORE)[op.name](gradients)
    return [None] * (len(gradients) - len(made)) + list(made)


def recomputed(
    function: Callable[[list[Tensor]], list[Tensor]], inputs: Sequence[Tensor]
) -> list[Tensor]:
    """Return the results of a function that the gradient computes again, from the same inputs.

    `tf.recompute_grad` uses a tape, and would not know the derivatives above.
    """
    given = [tf.convert_to_tensor(x) for x in inputs]
    results = function(given)

    def backward(gradients: Sequence[Tensor]) -> Sequence[Tensor]:
        known = [each for each in gradients[: len(results)] if each is not None]
        with tf.control_dependencies(known):
            again = _after(given, known[0])
            made = function(again)
        pairs = zip(made, gradients, strict=False)
        wanted = [(y, d) for y, d in pairs if d is not None and y.dtype.is_floating]
        real = [x for x in again if x.dtype.is_floating]
        found = iter(tf.gradients([y for y, _ in wanted], real, [d for _, d in wanted]))
        return [next(found) if x.dtype.is_floating else None for x in again]

    return _with_backward(results, given, backward)


def _after(tensors: Sequence[Tensor], other: Tensor) -> list[Tensor]:
    """Return the tensors, as values that can be computed only after another one.

    Without this, TensorFlow and XLA would find that the same numbers have been computed before,
    and keep them. XLA ignores control dependencies. So it reads a condition of the other tensor,
    which is true for every number.
    """
    one = tf.cast(tf.reshape(other, [-1])[0], tf.float32)
    true = tf.logical_or(tf.math.is_nan(one), tf.abs(one) > -1.0)
    return [tf.where(true, x, tf.zeros_like(x)) for x in tensors]


def gradients_of(y: Tensor, wrt: Sequence[Tensor]) -> list[Tensor]:
    """Return the gradients of a scalar of the graph that is traced; 0 if it does not depend on x.

    A tape would not know the derivatives above.
    """
    zero = tf.UnconnectedGradients.ZERO
    return list(tf.gradients(y, list(wrt), unconnected_gradients=zero))

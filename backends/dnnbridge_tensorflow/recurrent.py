"""The LSTM with its own derivative, which has one matrix product per backward step.

TensorFlow's derivative of a loop keeps every intermediate and adds up the gradient of the
recurrent kernel step by step. Here a step keeps only its gates and cell, and the gradient of each
weight is one product after the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from dnnbridge_tensorflow.derivatives import with_derivative

Tensor = Any


def lstm(
    x: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor | None, backwards: bool
) -> Tensor:
    """Return h of every step, (time, batch, units), from x of shape (batch, time, in)."""
    steps = tf.transpose(x, (1, 0, 2))
    if backwards:
        steps = tf.reverse(steps, (0,))
    projected = tf.tensordot(steps, kernel, 1)
    if bias is not None:
        projected += bias if bias.shape.rank == 1 else tf.reduce_sum(bias, 0)
    return _loop(projected, recurrent)


@with_derivative
def _loop(projected: Tensor, recurrent: Tensor) -> tuple[Tensor, Callable[..., Any]]:
    """Return h of every step, given the contributions of the inputs to the gates."""
    length, batch, width = projected.shape
    start = tf.zeros((batch, width // 4))

    def step(t: Tensor, h: Tensor, c: Tensor, hs: Any, cs: Any, gates: Any) -> tuple[Any, ...]:
        i, f, g, o = tf.split(tf.gather(projected, t) + tf.matmul(h, recurrent), 4, 1)
        i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
        c = f * c + i * g
        h = o * tf.tanh(c)
        gates = gates.write(t, tf.concat((i, f, g, o), 1))
        return t + 1, h, c, hs.write(t, h), cs.write(t, c), gates

    arrays = [_array(length, batch, size) for size in (width // 4, width // 4, width)]
    *_, hs, cs, gates = _while(step, [tf.constant(0), start, start, *arrays], length)
    kept = hs.stack(), cs.stack(), gates.stack()
    return kept[0], lambda d_hs: _gradients(d_hs, *kept, recurrent)


def _gradients(
    d_hs: Tensor, hs: Tensor, cs: Tensor, gates: Tensor, recurrent: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the gradients of the projected inputs and of the recurrent kernel."""
    length, batch, width = gates.shape
    start = tf.zeros((1, batch, width // 4))
    i, f, g, o = tf.split(gates, 4, 2)
    bent, before = tf.tanh(cs), tf.concat((start, cs[:-1]), 0)
    by_h = o * (1.0 - bent * bent)
    by_c = tf.concat((g * i * (1.0 - i), before * f * (1.0 - f), i * (1.0 - g * g)), 2)
    out = bent * o * (1.0 - o)
    turned = tf.transpose(recurrent)

    def step(k: Tensor, d_h: Tensor, d_c: Tensor, d_gates: Any) -> tuple[Any, ...]:
        t = length - 1 - k
        d_h = d_h + tf.gather(d_hs, t)
        d_c = d_c + d_h * tf.gather(by_h, t)
        rest = tf.concat((d_c, d_c, d_c), 1) * tf.gather(by_c, t)
        d = tf.concat((rest, d_h * tf.gather(out, t)), 1)
        return k + 1, tf.matmul(d, turned), d_c * tf.gather(f, t), d_gates.write(t, d)

    *_, made = _while(
        step, [tf.constant(0), start[0], start[0], _array(length, batch, width)], length
    )
    d_gates = made.stack()
    rows = tf.reshape(tf.concat((start, hs[:-1]), 0), (-1, width // 4))
    return d_gates, tf.matmul(rows, tf.reshape(d_gates, (-1, width)), transpose_a=True)


def _array(length: int, batch: int, size: int) -> Any:
    return tf.TensorArray(tf.float32, size=length, element_shape=(batch, size))


def _while(body: Callable[..., Any], start: list[Any], length: int) -> Any:
    return tf.while_loop(lambda t, *_: t < length, body, start, maximum_iterations=length)

"""Test on a small example whether a kernel runs on a device and gives the right numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf

from dnnbridge.backend import RULES, Array, Op
from dnnbridge_tensorflow.quiet import quiet

Tensor = Any


def place_of(device: str) -> str:
    """Return a device as TensorFlow writes it: "/GPU:1" for "gpu:1"."""
    kind, _, index = device.partition(":")
    return f"/{kind.upper()}:{index or 0}"


@cache
def is_right(
    kernel: Callable[..., Tensor], op: Op, shapes: Sequence[tuple[int, ...]], device: str
) -> bool:
    """Return whether a kernel computes an operation and its derivatives correctly on a device.

    The inputs are small integers, many of them equal, so that correct results are exact.

    Args:
        kernel: (op, *tensors) -> tensor.
        op: the example; a few window places are enough.
        shapes: shapes of its inputs.
        device: name of the device.
    """
    inputs = tuple(_whole(shape, 7 + 2 * k) for k, shape in enumerate(shapes))
    rule = RULES[type(op)]
    value = rule.forward(op, *inputs)
    weights = _whole(value.shape, 3)
    expected = [value, *map(np.asarray, rule.vjp(op, inputs, value, weights))]
    # A separate thread is outside of the graph that is being traced and of its tape.
    with quiet(), ThreadPoolExecutor(1) as thread:
        actual = thread.submit(_numbers, kernel, op, (*inputs, weights), device).result()
    return len(actual) == len(expected) and all(map(np.array_equal, actual, expected))


def _numbers(
    kernel: Callable[..., Tensor], op: Op, arrays: Sequence[Array], device: str
) -> list[Array]:
    """Return a value and its gradients, or an empty list if the kernel fails."""
    try:
        with tf.device(place_of(device)):
            given = [tf.constant(array, tf.float32) for array in arrays]
            return [each.numpy() for each in _differentiated(kernel, op, given)]
    except (tf.errors.OpError, ValueError):
        return []


def _differentiated(kernel: Callable[..., Tensor], op: Op, given: Sequence[Tensor]) -> list[Tensor]:
    """Return a value and its gradients, computed in a graph, as in training."""

    def run(*given: Tensor) -> list[Tensor]:
        *inputs, weights = given
        value = kernel(op, *inputs)
        return [value, *tf.gradients(value, inputs, weights)]

    # Calling the concrete function avoids TensorFlow's warning about many functions.
    made = tf.function(run, autograph=False).get_concrete_function(*given)(*given)
    return list(made)


def _whole(shape: tuple[int, ...], factor: int) -> Array:
    count = int(np.prod(shape))
    return np.asarray((np.arange(count) * factor % 11 % 5 - 2.0).reshape(shape))

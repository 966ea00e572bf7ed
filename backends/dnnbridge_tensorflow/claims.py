"""Composites that TensorFlow computes in one kernel; the suite checks each against its equation."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import tensorflow as tf

from dnnbridge.backend import (
    LSTM,
    SGD,
    Adam,
    AdamW,
    CategoricalCrossentropy,
    Claim,
    SparseCategoricalCrossentropy,
    is_of_sequence_alone,
)
from dnnbridge_tensorflow.recurrent import lstm

Tensor = Any

IS_PLAIN = attrgetter("is_plain")


def _sparse_cross_entropy(spec: object, prediction: Tensor, target: Tensor) -> list[Tensor]:
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=prediction)
    return [_per_example(losses)]


def _cross_entropy(spec: object, prediction: Tensor, target: Tensor) -> list[Tensor]:
    losses = tf.nn.softmax_cross_entropy_with_logits(labels=target, logits=prediction)
    return [_per_example(losses)]


def _per_example(losses: Tensor) -> Tensor:
    return tf.reduce_mean(losses, list(range(1, losses.shape.rank)))


def _sgd(spec: SGD, places: Sequence[Any], p: Tensor, g: Tensor, *rest: Tensor) -> None:
    given = spec.named(rest)
    rate = given["learning_rate"]
    if not spec.momentum:
        tf.raw_ops.ResourceApplyGradientDescent(var=places[0].handle, alpha=rate, delta=g)
        return
    weight, velocity = places
    tf.raw_ops.ResourceApplyMomentum(
        var=weight.handle,
        accum=velocity.handle,
        lr=rate,
        grad=g,
        momentum=given.get("momentum", spec.momentum),
        use_nesterov=spec.nesterov,
    )


def _adam(spec: Adam | AdamW, places: Sequence[Any], p: Tensor, g: Tensor, *rest: Tensor) -> None:
    """Update a weight and its moments; α includes the bias correction, so the beta powers are 0."""
    given = spec.named(rest)
    weight, m, v = places
    tf.raw_ops.ResourceApplyAdam(
        var=weight.handle,
        m=m.handle,
        v=v.handle,
        beta1_power=0.0,
        beta2_power=0.0,
        lr=given["alpha"],
        beta1=spec.beta_1,
        beta2=spec.beta_2,
        epsilon=given["epsilon"],
        grad=g,
    )


def _lstm(spec: LSTM, x: Tensor, *weights: Tensor) -> list[Tensor]:
    kernel, recurrent, *bias = weights
    hs = lstm(x, kernel, recurrent, bias[0] if bias else None, spec.go_backwards)
    return [tf.transpose(hs, (1, 0, 2)) if spec.return_sequences else hs[-1]]


CLAIMS: dict[type, Claim] = {
    Adam: Claim(IS_PLAIN, _adam, in_place=True),
    AdamW: Claim(IS_PLAIN, _adam, in_place=True),
    SGD: Claim(IS_PLAIN, _sgd, in_place=True),
    CategoricalCrossentropy: Claim(IS_PLAIN, _cross_entropy),
    LSTM: Claim(IS_PLAIN, _lstm, is_of_sequence_alone),
    SparseCategoricalCrossentropy: Claim(IS_PLAIN, _sparse_cross_entropy),
}

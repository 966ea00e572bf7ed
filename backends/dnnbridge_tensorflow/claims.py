"""Composites that TensorFlow has as one kernel; the suite holds each to its equation."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from dnnbridge.backend import Claim
from dnnbridge.losses import CategoricalCrossEntropy, SparseCategoricalCrossEntropy

Tensor = Any


def _sparse_cross_entropy(spec: object, prediction: Tensor, target: Tensor) -> list[Tensor]:
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=prediction)
    return [_per_example(losses)]


def _cross_entropy(spec: object, prediction: Tensor, target: Tensor) -> list[Tensor]:
    losses = tf.nn.softmax_cross_entropy_with_logits(labels=target, logits=prediction)
    return [_per_example(losses)]


def _per_example(losses: Tensor) -> Tensor:
    return tf.reduce_mean(losses, list(range(1, losses.shape.rank)))


def _plain(spec: Any) -> bool:
    """Say whether a cross-entropy is that of logits, with every other field at its default."""
    known = {"epsilon": spec.epsilon, "reduction": spec.reduction}  # neither has a part in it
    return bool(spec == type(spec)(from_logits=True, **known))


CLAIMS: dict[type, Claim] = {
    CategoricalCrossEntropy: Claim(_plain, _cross_entropy),
    SparseCategoricalCrossEntropy: Claim(_plain, _sparse_cross_entropy),
}

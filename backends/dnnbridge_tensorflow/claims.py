"""Composites that TensorFlow has as one kernel; the suite holds each to its equation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from dnnbridge.backend import Claim
from dnnbridge.losses import CategoricalCrossEntropy, SparseCategoricalCrossEntropy
from dnnbridge.optimizers import SGD

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


def _sgd(spec: SGD, places: Sequence[Any], p: Tensor, g: Tensor, *rest: Tensor) -> None:
    """Change a weight and its velocity; rest has the velocity, if any, then the host scalars."""
    if not spec.momentum:
        tf.raw_ops.ResourceApplyGradientDescent(var=places[0].handle, alpha=rest[0], delta=g)
        return
    weight, velocity = places
    tf.raw_ops.ResourceApplyMomentum(
        var=weight.handle,
        accum=velocity.handle,
        lr=rest[1],
        grad=g,
        momentum=rest[3] if len(rest) > 3 else spec.momentum,
        use_nesterov=spec.nesterov,
    )


def _has_plain_velocity(spec: SGD) -> bool:
    return not spec.dampening and not spec.rate_in_velocity


CLAIMS: dict[type, Claim] = {
    SGD: Claim(_has_plain_velocity, _sgd, in_place=True),
    CategoricalCrossEntropy: Claim(_plain, _cross_entropy),
    SparseCategoricalCrossEntropy: Claim(_plain, _sparse_cross_entropy),
}

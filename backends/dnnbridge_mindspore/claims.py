"""Composites that MindSpore has as one kernel; the suite holds each to its equation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dnnbridge.backend import Claim
from dnnbridge.losses import SparseCategoricalCrossEntropy
from dnnbridge.optimizers import SGD
from dnnbridge_mindspore.lowerings import Kernel
from dnnbridge_mindspore.names import literal


def _sparse_cross_entropy(spec: object, prediction: str, target: str) -> Kernel:
    return Kernel("kernels.SparseCrossEntropy()", (prediction, target))


def _plain(spec: Any) -> bool:
    """Say whether a cross-entropy is that of logits, with every other field at its default."""
    known = {"epsilon": spec.epsilon, "reduction": spec.reduction}  # neither has a part in it
    return bool(spec == type(spec)(from_logits=True, **known))


def _sgd(spec: SGD, places: Sequence[str], p: str, g: str, *rest: str) -> Kernel:
    """Change a weight and its velocity; rest has the velocity, if any, then the host scalars."""
    if not spec.momentum:
        return Kernel("ops.ApplyGradientDescent()", (*places, rest[0], g))
    momentum = rest[3] if len(rest) > 3 else literal(float(spec.momentum))  # type: ignore[arg-type]
    return Kernel("ops.ApplyMomentum()", (*places, rest[1], g, momentum))


def _has_plain_velocity(spec: SGD) -> bool:
    """Say whether p -= lr v is all; with use_nesterov the native kernel is wrong, by 5 % in a step"""
    return not spec.dampening and not spec.rate_in_velocity and not spec.nesterov


CLAIMS: dict[type, Claim] = {
    SGD: Claim(_has_plain_velocity, _sgd, in_place=True),
    SparseCategoricalCrossEntropy: Claim(_plain, _sparse_cross_entropy),
}

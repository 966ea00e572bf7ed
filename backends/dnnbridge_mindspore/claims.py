"""Composites that MindSpore has as one kernel; the suite holds each to its equation."""

from __future__ import annotations

from typing import Any

from dnnbridge.backend import Claim
from dnnbridge.losses import SparseCategoricalCrossEntropy
from dnnbridge_mindspore.lowerings import Kernel


def _sparse_cross_entropy(spec: object, prediction: str, target: str) -> Kernel:
    return Kernel("kernels.SparseCrossEntropy()", (prediction, target))


def _plain(spec: Any) -> bool:
    """Say whether a cross-entropy is that of logits, with every other field at its default."""
    known = {"epsilon": spec.epsilon, "reduction": spec.reduction}  # neither has a part in it
    return bool(spec == type(spec)(from_logits=True, **known))


CLAIMS: dict[type, Claim] = {
    SparseCategoricalCrossEntropy: Claim(_plain, _sparse_cross_entropy),
}

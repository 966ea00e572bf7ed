"""Composites that MindSpore has as one kernel; the suite holds each to its equation."""

from __future__ import annotations

from dnnbridge.backend import Claim
from dnnbridge.losses import SparseCategoricalCrossEntropy
from dnnbridge_mindspore.lowerings import Kernel


def _sparse_cross_entropy(spec: object, prediction: str, target: str) -> Kernel:
    return Kernel("kernels.SparseCrossEntropy()", (prediction, target))


CLAIMS: dict[type, Claim] = {
    SparseCategoricalCrossEntropy: Claim(lambda spec: spec.from_logits, _sparse_cross_entropy),
}

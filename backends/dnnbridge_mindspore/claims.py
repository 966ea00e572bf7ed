"""Composites that MindSpore has as one kernel; the suite holds each to its equation."""

from __future__ import annotations

from typing import Any

import mindspore as ms

from dnnbridge.activations import Sigmoid, Tanh
from dnnbridge.backend import Claim
from dnnbridge.graph import Call, Node
from dnnbridge.layers import LSTM
from dnnbridge.losses import SparseCategoricalCrossEntropy
from dnnbridge_mindspore.lowerings import Kernel


def _sparse_cross_entropy(spec: object, prediction: str, target: str) -> Kernel:
    return Kernel("kernels.SparseCrossEntropy()", (prediction, target))


def _plain(spec: Any) -> bool:
    """Say whether a cross-entropy is that of logits, with every other field at its default."""
    known = {"epsilon": spec.epsilon, "reduction": spec.reduction}  # neither has a part in it
    return bool(spec == type(spec)(from_logits=True, **known))


def _lstm(spec: LSTM, *inputs: str) -> Kernel:
    return Kernel(
        f"kernels.LSTM({spec.units}, {spec.return_sequences}, {spec.go_backwards})", inputs
    )


def _with_usual_gates(spec: LSTM) -> bool:
    return spec.activation == Tanh() and spec.recurrent_activation == Sigmoid()


def _of_sequence_alone(node: Node) -> bool:
    """Say whether a recurrent layer has neither a mask, nor dropout, nor a loss of its own."""
    assert isinstance(node.op, Call)
    weights = 3 if node.op.spec.use_bias else 2  # type: ignore[attr-defined]
    plain = len(node.inputs) == 1 + weights and len(node.outputs) == 1
    return plain and ms.get_context("device_target") == "CPU"


CLAIMS: dict[type, Claim] = {
    LSTM: Claim(_with_usual_gates, _lstm, _of_sequence_alone),
    SparseCategoricalCrossEntropy: Claim(_plain, _sparse_cross_entropy),
}

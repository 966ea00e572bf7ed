"""Composites that MindSpore has as one kernel; the suite holds each to its equation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mindspore as ms

from dnnbridge.activations import Sigmoid, Tanh
from dnnbridge.backend import Claim
from dnnbridge.graph import Call, Node
from dnnbridge.layers import LSTM
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
    """Say whether p -= lr v is all; the native kernel ignores its use_nesterov."""
    return not spec.dampening and not spec.rate_in_velocity and not spec.nesterov


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
    SGD: Claim(_has_plain_velocity, _sgd, in_place=True),
    LSTM: Claim(_with_usual_gates, _lstm, _of_sequence_alone),
    SparseCategoricalCrossEntropy: Claim(_plain, _sparse_cross_entropy),
}

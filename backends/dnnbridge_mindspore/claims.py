"""Composites that MindSpore computes in one kernel; the suite checks each against its equation."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import mindspore as ms

from dnnbridge.backend import (
    LSTM,
    SGD,
    Adam,
    AdamW,
    BatchNormalization,
    Claim,
    Node,
    SparseCategoricalCrossentropy,
    is_of_sequence_alone,
)
from dnnbridge_mindspore.lowerings import Kernel
from dnnbridge_mindspore.names import Operand, literal

IS_PLAIN = attrgetter("is_plain")


def _sparse_cross_entropy(spec: object, prediction: str, target: str) -> Kernel:
    return Kernel("kernels.SparseCrossEntropy()", (prediction, target))


def _sgd(spec: SGD, places: Sequence[str], p: str, g: str, *rest: str) -> Kernel:
    given = spec.named(rest)
    if not spec.momentum:
        return Kernel("ops.ApplyGradientDescent()", (*places, given["learning_rate"], g))
    momentum = given["momentum"] if "momentum" in given else _number(spec.momentum)
    return Kernel("ops.ApplyMomentum()", (*places, given["learning_rate"], g, momentum))


def _without_nesterov(spec: SGD) -> bool:
    """Return whether the update is p -= lr v; the native kernel ignores its use_nesterov."""
    return spec.is_plain and not spec.nesterov


def _adam(spec: Adam | AdamW, places: Sequence[str], p: str, g: str, *rest: str) -> Kernel:
    """Update a weight and its moments; α includes the bias correction, so the beta powers are 0."""
    given = spec.named(rest)
    betas = _number(spec.beta_1), _number(spec.beta_2)
    rates = "0.0", "0.0", given["alpha"], *betas, given["epsilon"]
    return Kernel("ops.Adam()", (*places, *rates, g))


def _number(value: Any) -> str:
    return literal(float(value))


def _lstm(spec: LSTM, *inputs: str) -> Kernel:
    return Kernel(
        f"kernels.LSTM({spec.units}, {spec.return_sequences}, {spec.go_backwards})", inputs
    )


def _batch_norm(spec: BatchNormalization, x: Operand, *rest: str) -> Kernel:
    def written(over: str) -> str:
        followed = "Unbiased" if spec.unbiased else "Biased"
        numbers = spec.momentum, 1.0 - spec.momentum, spec.epsilon
        given = f"kernels.{over}, kernels.{followed}(), {', '.join(map(_number, numbers))}"
        return f"kernels.BatchNormalization({given})"

    rank = x.type.rank
    last = written("Rows()" if rank == 2 else f"ChannelsLast({rank})")
    return Kernel(last, (x, *rest), where_first=written("ChannelsFirst()"), kept=2)


def _is_usual(spec: BatchNormalization) -> bool:
    return spec.axis == -1 and spec.center and spec.scale


def _is_training(node: Node) -> bool:
    """Return whether this is a training call with batch statistics and no other results.

    With a mask of steps there are as many inputs, but not the number 1 / Σ mask of the batch.
    """
    scalars = sum(value.rank == 0 for value in node.inputs)
    return len(node.inputs) == 7 and len(node.outputs) == 3 and scalars == 1


def _fits(node: Node) -> bool:
    return is_of_sequence_alone(node) and ms.get_context("device_target") == "CPU"


CLAIMS: dict[type, Claim] = {
    Adam: Claim(IS_PLAIN, _adam, in_place=True),
    AdamW: Claim(IS_PLAIN, _adam, in_place=True),
    SGD: Claim(_without_nesterov, _sgd, in_place=True),
    BatchNormalization: Claim(_is_usual, _batch_norm, _is_training),
    LSTM: Claim(IS_PLAIN, _lstm, _fits),
    SparseCategoricalCrossentropy: Claim(IS_PLAIN, _sparse_cross_entropy),
}

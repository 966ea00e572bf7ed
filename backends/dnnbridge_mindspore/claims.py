"""Composites that MindSpore computes in one kernel; the suite checks each against its equation."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from dnnbridge.backend import (
    LSTM,
    SGD,
    Adam,
    AdamW,
    BatchNormalization,
    Claim,
    LayerNormalization,
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
    rank = x.type.rank
    last = _over(spec, "Rows()" if rank == 2 else f"ChannelsLast({rank})")
    return Kernel(last, (x, *rest), where_first=_over(spec, "ChannelsFirst()"), kept=2)


def _over(spec: BatchNormalization, layout: str, *more: str) -> str:
    """Return the source of a Cell for a layout."""
    followed = "Unbiased" if spec.unbiased else "Biased"
    numbers = map(_number, (spec.momentum, 1.0 - spec.momentum, spec.epsilon))
    given = ", ".join([f"kernels.{layout}", f"kernels.{followed}()", *numbers, *more])
    return f"kernels.BatchNormalization({given})"


def _native_batch_norm(spec: BatchNormalization, x: Operand, *rest: str) -> Kernel:
    rank, sums = x.type.rank, "kernels.OneByOne()"
    last = _over(spec, "Rows()" if rank == 2 else f"NativeChannels(False, {rank})", sums)
    first = _over(spec, f"NativeChannels(True, {rank})", sums)
    return Kernel(last, (x, *rest), where_first=first, kept=2)


def _layer_norm(spec: LayerNormalization, *inputs: str) -> Kernel:
    axes = 1 if isinstance(spec.axis, int) else len(spec.axis)
    return Kernel(f"kernels.LayerNorm({axes}, {_number(spec.epsilon)})", inputs)


def _is_over_last_axes(spec: LayerNormalization) -> bool:
    axes = (spec.axis,) if isinstance(spec.axis, int) else spec.axis
    return spec.center and spec.scale and sorted(axes) == list(range(-len(axes), 0))


def _is_usual(spec: BatchNormalization) -> bool:
    return spec.axis == -1 and spec.center and spec.scale


def _is_training(node: Node) -> bool:
    """Return whether this is a training call with batch statistics and no other results.

    With a mask of steps there are as many inputs, but not the number 1 / Σ mask of the batch.
    """
    scalars = sum(value.rank == 0 for value in node.inputs)
    return len(node.inputs) == 7 and len(node.outputs) == 3 and scalars == 1


CLAIMS: dict[type, Claim] = {
    Adam: Claim(IS_PLAIN, _adam, in_place=True),
    AdamW: Claim(IS_PLAIN, _adam, in_place=True),
    SGD: Claim(_without_nesterov, _sgd, in_place=True),
    BatchNormalization: Claim(_is_usual, _batch_norm, _is_training),
    LSTM: Claim(IS_PLAIN, _lstm, is_of_sequence_alone),
    SparseCategoricalCrossentropy: Claim(IS_PLAIN, _sparse_cross_entropy),
}

ON_ACCELERATOR: dict[type, Claim] = {
    **{spec: claim for spec, claim in CLAIMS.items() if spec is not LSTM},
    BatchNormalization: Claim(_is_usual, _native_batch_norm, _is_training),
    LayerNormalization: Claim(_is_over_last_axes, _layer_norm),
}
"""Kernels on accelerators. Ascend's own kernel of the LSTM computes in float16."""

"""Activations that ONNX has as one node with the same meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from dnnbridge import activations as here
from dnnbridge.formats.onnx.writing.nodes import Nodes
from dnnbridge.formats.onnx.writing.operands import Known, Operand, Written, number
from dnnbridge.graph import Node


class Form(NamedTuple):
    """A node that computes an activation.

    Attributes:
        kind: the operator.
        attributes: its attributes.
        numbers: its inputs after the first.
    """

    kind: str
    attributes: Mapping[str, float]
    numbers: tuple[float, ...] = ()


def _relu(spec: here.ReLU) -> Form | None:
    """Return the form of a ReLU with one argument. Without any, the equation is one node."""
    given = (spec.negative_slope > 0.0, spec.threshold > 0.0, spec.max_value is not None)
    if sum(given) != 1:
        return None
    if spec.negative_slope > 0.0:
        return Form("LeakyRelu", {"alpha": spec.negative_slope})
    if spec.max_value is None:
        return Form("ThresholdedRelu", {"alpha": spec.threshold})
    return Form("Clip", {}, (0.0, spec.max_value))


def _threshold(spec: here.Threshold) -> Form | None:
    zero = spec.default_value == 0.0
    return Form("ThresholdedRelu", {"alpha": spec.threshold}) if zero else None


FORMS: Mapping[type, Callable[[Any], Form | None]] = {
    here.CELU: lambda spec: Form("Celu", {"alpha": spec.alpha}),
    here.ELU: lambda spec: Form("Elu", {"alpha": spec.alpha}),
    here.HardShrink: lambda spec: Form("Shrink", {"lambd": spec.threshold, "bias": 0.0}),
    here.HardSigmoid: lambda spec: Form("HardSigmoid", {"alpha": 1.0 / 6.0, "beta": 0.5}),
    here.HardSwish: lambda spec: Form("HardSwish", {}),
    here.LeakyReLU: lambda spec: Form("LeakyRelu", {"alpha": spec.negative_slope}),
    here.ReLU: _relu,
    here.ReLU6: lambda spec: Form("Clip", {}, (0.0, 6.0)),
    here.SELU: lambda spec: Form("Selu", {}),
    here.SoftShrink: lambda spec: Form("Shrink", {"lambd": spec.threshold, "bias": spec.threshold}),
    here.Softsign: lambda spec: Form("Softsign", {}),
    here.SparseSigmoid: lambda spec: Form("HardSigmoid", {"alpha": 0.5, "beta": 0.5}),
    here.Threshold: _threshold,
}
"""The form of each activation without weights that has one; None: its equation is written."""


def _of_numbers(w: Nodes, node: Node, operands: Sequence[Operand]) -> Written:
    spec: Any = node.op.spec  # type: ignore[attr-defined]
    form = FORMS[type(spec)](spec)
    if form is None or isinstance(operands[0], Known):
        return None
    inputs: list[Operand] = [operands[0], *(number(float(each)) for each in form.numbers)]
    return [w.pointwise(form.kind, inputs, node.outputs[0].type, **form.attributes)]


def _prelu(w: Nodes, node: Node, operands: Sequence[Operand]) -> Written:
    x, slope = operands
    if isinstance(x, Known) or not isinstance(slope, Known):
        return None
    return [w.pointwise("PRelu", (x, slope), node.outputs[0].type)]


ACTIVATIONS: Mapping[type, Callable[[Nodes, Node, Sequence[Operand]], Written]] = {
    **dict.fromkeys(FORMS, _of_numbers),
    here.PReLU: _prelu,
}
"""What writes an activation, by its class. The equation of every other one is written."""

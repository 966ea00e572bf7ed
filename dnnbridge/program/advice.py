"""Warnings when an experiment is compiled: allowed, but most likely a mistake."""

from __future__ import annotations

from collections.abc import Iterator

from dnnbridge import ops
from dnnbridge.base.warning import LogitsWarning, UnadaptedWarning, warn
from dnnbridge.emit.outputs import makes_probabilities
from dnnbridge.graph import Call, Graph, Node, Value, inline
from dnnbridge.layers import Normalization
from dnnbridge.losses import AbstractLoss
from dnnbridge.metrics import LossMetric
from dnnbridge.program.objectives import Objective
from dnnbridge.program.program import Function, Program


def advise(program: Program) -> None:
    """Warn about likely mistakes in a program; the warning points at the caller's caller."""
    ends = _Ends(program.functions["predict"])
    for objective in program.objectives.values():
        for where, wrong in _misread(objective, ends):
            warn(f"{where}: {wrong}", LogitsWarning)


def advise_to_adapt(program: Program) -> None:
    """Warn about a `Normalization` that does nothing, as no one has given it mean and variance."""
    for path in sorted(set(_unadapted(program.functions["predict"].graph))):
        warn(
            f"{path}: the Normalization has no mean and variance, so it changes nothing. Write "
            "layer = layer.adapt(x), which returns the layer with those of x; "
            "or run.set_weights sets them.",
            UnadaptedWarning,
        )


def _unadapted(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        spec = node.op.spec if isinstance(node.op, Call) else None
        if isinstance(spec, Normalization) and spec.mean is None:
            yield node.path
        if node.body is not None:
            yield from _unadapted(node.body)


def _misread(objective: Objective, ends: _Ends) -> Iterator[tuple[str, str]]:
    """Yield each loss or loss metric that reads logits as probabilities, or the reverse."""
    asked: dict[str, AbstractLoss] = {objective.name or "loss": objective.loss}
    asked |= {k: m.loss for k, m in objective.metrics.items() if isinstance(m, LossMetric)}
    for where, loss in asked.items():
        from_logits = getattr(loss, "from_logits", None)
        name = type(loss).__name__
        if from_logits and (activation := ends.probabilities(objective.output)):
            taken = "input" if loss.of_logits else "output"
            yield (
                where,
                f"{name}(from_logits=True) uses the {taken} of the model's final {activation} as "
                f"logits. Leave out from_logits=True, or remove the {activation} from the model.",
            )
        if from_logits is False and ends.is_linear(objective.output):
            yield (
                where,
                f"{name} reads the linear outputs of the model as probabilities. Give it "
                "from_logits=True, or end the model with a softmax or a sigmoid.",
            )


class _Ends:
    """The operations that compute the outputs of a model."""

    def __init__(self, predict: Function) -> None:
        graph = inline(predict.graph)
        self.weights = set(predict.state)
        self.makers: dict[Value, Node] = {v: node for node in graph.nodes for v in node.outputs}
        self.values = dict(zip(predict.results, graph.outputs, strict=False))

    def probabilities(self, output: str) -> str:
        """Return the name of a final activation that gives probabilities, or an empty string."""
        value = self.values[output]
        node = self.makers.get(value)
        made = node is not None and makes_probabilities(node.op, value)
        return type(node.op).__name__.lower() if node is not None and made else ""

    def is_linear(self, output: str) -> bool:
        """Return whether an output comes from a linear layer without an activation."""
        return self._is_affine(self.values[output])

    def _is_affine(self, value: Value) -> bool:
        node = self.makers.get(value)
        if node is None:
            return False
        if isinstance(node.op, (ops.MatMul, ops.Conv, ops.ConvTranspose)):
            return True
        if isinstance(node.op, ops.Add):
            a, b = node.inputs
            return self._is_weight(b) and self._is_affine(a)
        return isinstance(node.op, (ops.Reshape, ops.Transpose)) and self._is_affine(node.inputs[0])

    def _is_weight(self, value: Value) -> bool:
        node = self.makers.get(value)
        if node is not None and isinstance(node.op, ops.Reshape):
            return self._is_weight(node.inputs[0])
        return value in self.weights

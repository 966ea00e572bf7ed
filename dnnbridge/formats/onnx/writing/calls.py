"""Calls of specs that ONNX has as one node; every other call is written as its equation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from dnnbridge.activations import (
    ELU,
    AbstractActivation,
    HardSigmoid,
    LeakyReLU,
    ReLU,
    Sigmoid,
    Softplus,
    Softsign,
    Tanh,
)
from dnnbridge.base.arrays import Array
from dnnbridge.formats.onnx.writing.activations import ACTIVATIONS
from dnnbridge.formats.onnx.writing.nodes import Nodes
from dnnbridge.formats.onnx.writing.operands import Known, Operand, Tensor, Written
from dnnbridge.graph import Call, Node
from dnnbridge.layers import GRU, LSTM, BatchNormalization, Embedding, LayerNormalization, SimpleRNN
from dnnbridge.layers.recurrence import is_of_sequence_alone


def _arrays(node: Node, operands: Sequence[Operand]) -> dict[str, Known]:
    """Return the weights of a call by their last names."""
    assert node.body is not None
    given = zip(node.body.inputs, operands, strict=True)
    return {v.name.rpartition("/")[2]: x for v, x in given if isinstance(x, Known)}


def _per_channel(known: Known | None, count: int, value: float, label: str) -> Known:
    return known or Known(np.full(count, value), label)


def _batch_normalization(w: Nodes, node: Node, operands: Sequence[Operand]) -> Written:
    """Write one node where the channels are in axis 1 anyway."""
    spec: Any = node.op.spec  # type: ignore[attr-defined]
    x, type = operands[0], node.outputs[0].type
    axis = spec.axis % type.rank
    first = isinstance(x, Tensor) and x.is_first and axis == type.rank - 1
    if isinstance(x, Known) or not (first or (axis == 1 and not x.is_first)):
        return None
    arrays = _arrays(node, operands)
    count = len(arrays["moving_mean"].array)
    gamma = _per_channel(arrays.get("gamma"), count, 1.0, f"{node.path}/gamma")
    beta = _per_channel(arrays.get("beta"), count, 0.0, f"{node.path}/beta")
    four = (gamma, beta, arrays["moving_mean"], arrays["moving_variance"])
    name = w.first(x) if first else w.last(x)
    inputs = [name, *(w.last(each) for each in four)]
    made = w.add("BatchNormalization", inputs, epsilon=spec.epsilon)
    return [Tensor(type, first=made) if first else Tensor(type, made)]


def _layer_normalization(w: Nodes, node: Node, operands: Sequence[Operand]) -> Written:
    """Write one node where the axes are the last ones."""
    spec: Any = node.op.spec  # type: ignore[attr-defined]
    type = node.outputs[0].type
    given = (spec.axis,) if isinstance(spec.axis, int) else spec.axis
    axes = sorted(axis % type.rank for axis in given)
    if axes != list(range(axes[0], type.rank)):
        return None
    arrays = _arrays(node, operands)
    shape = [int(size or 0) for size in type.shape[axes[0] :]]
    gamma = arrays.get("gamma") or Known(np.ones(shape), f"{node.path}/gamma")
    inputs = [w.last(operands[0]), w.last(gamma)]
    inputs += [w.last(arrays["beta"])] if "beta" in arrays else []
    attributes = {"axis": axes[0] - type.rank, "epsilon": spec.epsilon}
    return [Tensor(type, w.add("LayerNormalization", inputs, **attributes))]


def _embedding(w: Nodes, node: Node, operands: Sequence[Operand]) -> Written:
    """Write one node where the row of the padding can be stored as zeros."""
    spec: Any = node.op.spec  # type: ignore[attr-defined]
    table = _arrays(node, operands).get("embeddings")
    if spec.padding_idx is None or table is None or isinstance(operands[0], Known):
        return None
    rows = table.array.copy()
    rows[spec.padding_idx] = 0.0
    made = w.add("Gather", [w.last(Known(rows, table.label)), w.last(operands[0])], axis=0)
    return [Tensor(node.outputs[0].type, made)]


PLAIN: Mapping[AbstractActivation, str] = {
    ReLU(): "Relu",
    Sigmoid(): "Sigmoid",
    Softplus(): "Softplus",
    Softsign(): "Softsign",
    Tanh(): "Tanh",
}
"""Activations of recurrent nodes that have no numbers."""


def _activation(spec: AbstractActivation) -> tuple[str, list[float], list[float]] | None:
    """Return an activation of a recurrent node with its alpha and its beta, or None."""
    match spec:
        case ELU():
            return ("Elu", [spec.alpha], [])
        case HardSigmoid():
            return ("HardSigmoid", [1.0 / 6.0], [0.5])
        case LeakyReLU():
            return ("LeakyRelu", [spec.negative_slope], [])
    return (PLAIN[spec], [], []) if spec in PLAIN else None


ORDERS = {"LSTM": (0, 3, 1, 2), "GRU": (0, 1, 2), "RNN": (0,)}
"""Our blocks of gates in the order of ONNX: i o f c, and z r h."""


def _blocks(array: Array, kind: str) -> Array:
    """Return (1, blocks · units, n), with the blocks in the order of ONNX."""
    order = ORDERS[kind]
    parts = np.split(array, len(order), axis=-1)
    return np.asarray(np.concatenate([parts[i] for i in order], axis=-1).T[None])


def _recurrent(kind: str) -> Callable[[Nodes, Node, Sequence[Operand]], Written]:
    def write(w: Nodes, node: Node, operands: Sequence[Operand]) -> Written:
        spec: Any = node.op.spec  # type: ignore[attr-defined]
        gates = [] if kind == "RNN" else [spec.recurrent_activation]
        cells = [spec.activation] * (2 if kind == "LSTM" else 1)
        functions = [_activation(each) for each in (*gates, *cells)]
        if not is_of_sequence_alone(node) or None in functions:
            return None
        arrays = _arrays(node, operands)
        kernel, recurrent = arrays["kernel"], arrays["recurrent_kernel"]
        inputs = [
            w.add("Transpose", [w.last(operands[0])], perm=(1, 0, 2)),
            w.last(Known(_blocks(kernel.array, kind), kernel.label)),
            w.last(Known(_blocks(recurrent.array, kind), recurrent.label)),
        ]
        if "bias" in arrays:
            inputs.append(w.last(_bias(arrays["bias"], kind)))
        attributes: dict[str, Any] = {
            "hidden_size": spec.units,
            "direction": "reverse" if spec.go_backwards else "forward",
            "activations": [each[0] for each in functions if each],
        }
        for index, name in ((1, "activation_alpha"), (2, "activation_beta")):
            if numbers := [n for each in functions if each for n in each[index]]:
                attributes[name] = numbers
        if kind == "GRU":
            attributes["linear_before_reset"] = int(spec.reset_after)
        steps, last = w.add_all(kind, inputs, 2, **attributes)
        if not spec.return_sequences:
            return [Tensor(node.outputs[0].type, w.add("Squeeze", [last, w.sizes([0])]))]
        made = w.add("Transpose", [w.add("Squeeze", [steps, w.sizes([1])])], perm=(1, 0, 2))
        if spec.go_backwards:  # ONNX has the steps in the order of the input
            ends = [w.sizes([n]) for n in (-1, np.iinfo(np.int64).min, 1, -1)]
            made = w.add("Slice", [made, *ends])
        return [Tensor(node.outputs[0].type, made)]

    return write


def _bias(bias: Known, kind: str) -> Known:
    """Return the bias of the input and that of the state in one row."""
    rows = bias.array if bias.array.ndim == 2 else np.stack([bias.array, 0.0 * bias.array])
    parts = [_blocks(row[None], kind)[0, :, 0] for row in rows]
    return Known(np.concatenate(parts)[None], bias.label)


CALLS: Mapping[type, Callable[[Nodes, Node, Sequence[Operand]], Written]] = {
    **ACTIVATIONS,
    BatchNormalization: _batch_normalization,
    Embedding: _embedding,
    GRU: _recurrent("GRU"),
    LSTM: _recurrent("LSTM"),
    LayerNormalization: _layer_normalization,
    SimpleRNN: _recurrent("RNN"),
}
"""What writes a call, by the class of the spec."""


def as_one_node(w: Nodes, node: Node, operands: Sequence[Operand]) -> Written:
    """Write a call as one node, or return None if ONNX has none for it."""
    op = node.op
    assert isinstance(op, Call)
    write = CALLS.get(type(op.spec))
    if write is None or op.exposed or len(node.outputs) != 1:
        return None
    return write(w, node, operands)

"""LSTM, GRU and RNN, whose inputs have the time before the batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from dnnbridge import activations as here
from dnnbridge import layers
from dnnbridge.activations import AbstractActivation
from dnnbridge.base.arrays import Array
from dnnbridge.formats.onnx.reading.activations import digits, hard
from dnnbridge.formats.onnx.reading.call import Call
from dnnbridge.formats.onnx.reading.values import Known, Tensor

ORDERS = {"LSTM": (0, 2, 3, 1), "GRU": (0, 1, 2), "RNN": (0,)}
"""The blocks of ONNX, i o f c and z r h, in the order of the layers here: i f c o and z r h."""

DEFAULTS = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh"), "RNN": ("Tanh",)}

PLAIN: Mapping[str, AbstractActivation] = {
    "Relu": here.ReLU(),
    "Sigmoid": here.Sigmoid(),
    "Softplus": here.Softplus(),
    "Softsign": here.Softsign(),
    "Tanh": here.Tanh(),
}
"""Activations without numbers, by their names in ONNX."""


def _activations(call: Call, kind: str, sides: int) -> list[AbstractActivation]:
    """Return the activations of one direction, or raise if the other one has others."""
    names = tuple(call.get("activations", DEFAULTS[kind] * sides))
    numbers = [tuple(call.get(f"activation_{name}", ())) for name in ("alpha", "beta")]
    alphas, betas = map(iter, numbers)
    made = [_activation(name, alphas, betas) for name in names]
    first = [each for each in made[: len(DEFAULTS[kind])] if each is not None]
    text = f"activations={names}, alpha={numbers[0]}, beta={numbers[1]}"
    call.require(made == first * sides, text)
    return first


def _activation(
    name: str, alphas: Iterator[float], betas: Iterator[float]
) -> AbstractActivation | None:
    """Return an activation, or None; it takes its numbers from lists that all have in common."""
    match name:
        case "Elu":
            return here.ELU(digits(next(alphas, 1.0)))
        case "HardSigmoid":
            return hard(digits(next(alphas, 0.2)), digits(next(betas, 0.5)))
        case "LeakyRelu":
            return here.LeakyReLU(digits(next(alphas, 0.01)))
    return PLAIN.get(name)


def _blocks(array: Array, kind: str) -> Array:
    """Return an array with its blocks, along the first axis, in the order of the layer here."""
    order = ORDERS[kind]
    parts = np.split(array, len(order))
    return np.concatenate([parts[i] for i in order])


def _fields(call: Call, kind: str, sides: int) -> dict[str, Any]:
    """Return the arguments of the layer, or raise if ONNX has one that it lacks."""
    call.require(call.get("layout", 0) == 0, "layout=1")
    call.require(call.get("clip", None) is None, "clip")
    call.require(not call.get("input_forget", 0), "input_forget=1")
    call.require(call.input(4) is None, "the lengths of the sequences")
    call.require(call.input(7) is None, "peepholes")
    for index in (5, 6):
        state = call.input(index)
        zero = isinstance(state, Known) and not state.array.any()
        call.require(state is None or zero, "an initial state other than 0")
    found = _activations(call, kind, sides)
    call.require(kind != "LSTM" or found[1] == found[2], f"activations={found}")
    fields: dict[str, Any] = {"activation": found[-1], "return_sequences": True}
    if kind != "RNN":
        fields["recurrent_activation"] = found[0]
    if kind == "GRU":
        fields["reset_after"] = bool(call.get("linear_before_reset", 0))
    return fields | {"use_bias": call.input(3) is not None}


def _weights(call: Call, kind: str, side: int, one_row: bool) -> dict[str, Array]:
    """Return the weights of one direction."""
    made = {
        name: _blocks(call.weight(index).fixed[side], kind).T
        for name, index in (("kernel", 1), ("recurrent_kernel", 2))
    }
    if call.input(3) is not None:
        rows = np.split(call.weight(3).fixed[side], 2)
        bias = np.stack([_blocks(row, kind) for row in rows])
        made["bias"] = bias.sum(0) if one_row else bias
    return made


def recurrent(kind: str) -> Callable[[Call], list[Tensor | None]]:
    cls: Any = {"LSTM": layers.LSTM, "GRU": layers.GRU, "RNN": layers.SimpleRNN}[kind]

    def rule(call: Call) -> list[Tensor | None]:
        x, direction = call.tensor(), call.get("direction", "forward")
        sides, units = call.weight(2).fixed.shape[0], call.weight(2).fixed.shape[-1]
        call.require(x.rank == 3 and x.batch == 1, "an input that is not (time, batch, features)")
        call.require(sides == (2 if direction == "bidirectional" else 1), f"{sides} directions")
        fields = _fields(call, kind, sides)
        if kind != "GRU":
            fields["use_recurrent_bias"] = fields["use_bias"]
        one_row = kind == "GRU" and not fields["reset_after"]
        made = cls(units, go_backwards=direction == "reverse", **fields)
        weights = _weights(call, kind, 0, one_row)
        if sides == 2:
            made = layers.Bidirectional(made)
            parts = {"forward": weights, "backward": _weights(call, kind, 1, one_row)}
            weights = {f"{s}/{n}": a for s, part in parts.items() for n, a in part.items()}
        sources = tuple(call.weight(i) for i in (1, 2, 3) if call.input(i) is not None)
        y = call.layer(made, x, weights=weights, sources=sources)
        return _results(call, y, units, sides, direction)

    return rule


def _results(call: Call, y: Tensor, units: int, sides: int, direction: str) -> list[Tensor | None]:
    """Return all steps (time, sides, batch, units) and the last ones (sides, batch, units)."""
    names = [*call.node.output, "", "", ""]
    used = [bool(name and call.reader.users[name]) for name in names[:3]]
    call.require(not used[2], "the cell state as a result")
    made: list[Tensor | None] = [None, None, None]
    if used[1]:
        last = call.layer(layers.Slice(":, -1"), y)
        if sides == 2:
            forward = call.layer(layers.Slice((slice(None), -1, slice(0, units))), y)
            backward = call.layer(layers.Slice((slice(None), 0, slice(units, None))), y)
            last = call.layer(layers.Concatenate(), forward, backward)
        made[1] = replace(call.layer(layers.Reshape((sides, units)), last), batch=1)
    if used[0]:
        if direction == "reverse":  # ONNX has the steps in the order of the input
            y = call.layer(layers.Slice(":, ::-1"), y)
        steps = call.layer(layers.Reshape((y.shape[0], sides, units)), y)
        made[0] = replace(steps, batch=2)
    return made

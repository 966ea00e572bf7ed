"""Compare the prediction of a followed Cell with that of the Cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.emit.symbol import AbstractSymbol
from dnnbridge.errors import ConversionError
from dnnbridge.formats.mindspore.following import Follower
from dnnbridge.formats.mindspore.traced import Traced
from dnnbridge.graph import inline
from dnnbridge.models import Input, Model
from dnnbridge.models.tracing import trace
from dnnbridge.ops.float64 import Interpreter

TOLERANCE = 2e-5
"""Greatest difference of a prediction, as a part of the largest number in it."""

ROUGH = 1e-3
"""The same with a tanh, whose kernel on a CPU is wrong by 1e-4."""

Values = list[tuple[Input, Array]]
"""Each input with the numbers that were given to it."""


def _predicted(symbols: Sequence[Any], values: Values, arrays: Mapping[str, Array]) -> list[Array]:
    """Return predictions in float64."""
    model = Model([symbol for symbol, _ in values], list(symbols))
    graph, _ = trace(model)
    graph = inline(graph)
    names = dict(zip(model.input_types, (array for _, array in values), strict=True))
    known = {**arrays, **names}
    with np.errstate(all="ignore"):
        found = Interpreter().evaluate(graph, [known[value.name] for value in graph.inputs])
    return [found[value] for value in graph.outputs]


def compare(
    follower: Follower,
    values: Values,
    outputs: Sequence[Traced],
    arrays: Mapping[str, Array],
    where: str,
) -> None:
    """Raise unless both sides predict the same; name the first call that differs."""
    predictions = _predicted([output.symbol for output in outputs], values, arrays)
    limit = ROUGH if _has_tanh(follower) else TOLERANCE
    pairs = zip(predictions, (output.value.asnumpy() for output in outputs), strict=True)
    if all(_difference(ours, theirs) <= limit for ours, theirs in pairs):
        return
    for path, symbol, value in follower.results:
        if isinstance(symbol, AbstractSymbol) and not isinstance(symbol, Input):
            ours, theirs = _predicted([symbol], values, arrays)[0], value.asnumpy()
            if (difference := _difference(ours, theirs)) > limit:
                raise ConversionError(
                    "the layer here gives other numbers than the Cell",
                    where=f"{where}: {path or 'construct'}",
                    got=f"a difference of {difference:.1e} of the largest number",
                    hint="Please report this Cell. Its prediction may overflow float32.",
                )


def _has_tanh(follower: Follower) -> bool:
    """Return whether a result depends on MindSpore's tanh."""
    texts = (repr(part.layer) for _, parts in follower.parts.values() for part in parts)
    calls = (repr(getattr(symbol, "layer", "")) for _, symbol, _ in follower.results)
    words = ("Tanh", "tanh", "GELU(approximate=True)", "LSTM", "GRU", "SimpleRNN", "Mish")
    return any(word in text for text in (*texts, *calls) for word in words)


def _difference(ours: Array, theirs: Array) -> float:
    if ours.shape != theirs.shape:
        return float("inf")
    largest = max(float(np.abs(ours).max(initial=0.0)), 1e-30)
    return float(np.abs(ours - theirs).max(initial=0.0)) / largest

"""Names and layouts under which files may hold the weights of a layer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from dnnbridge import layers
from dnnbridge.formats.mindspore.weights import (
    BATCH_NORM,
    CONV,
    CONV_1D,
    DENSE,
    EMBEDDING,
    KERNEL,
    PRELU,
    SAME,
    SCALE_AND_SHIFT,
    Entry,
    Layout,
    attention,
    recurrent,
)
from dnnbridge.layers import AbstractLayer


class Source(NamedTuple):
    """Where a file may hold a weight.

    Attributes:
        names: names of the arrays that make it, with "_" for ".", "/" and ":".
        layout: how they are converted.
    """

    names: tuple[str, ...]
    layout: Layout = SAME


KERNELS = (layers.Conv2D, layers.Conv3D, layers.Conv2DTranspose, layers.Conv3DTranspose)
KERNELS_1D = (layers.Conv1D, layers.Conv1DTranspose)
RECURRENT: dict[type[AbstractLayer], str] = {
    layers.LSTM: "LSTM",
    layers.GRU: "GRU",
    layers.SimpleRNN: "RNN",
}

PYTORCH = {
    **{"gamma": "weight", "beta": "bias"},
    **{"moving_mean": "running_mean", "moving_variance": "running_var"},
    **{"embedding_table": "weight", "w": "weight"},
}
"""PyTorch's name of a parameter, where it is not MindSpore's."""

KERAS = {"moving_mean": 2, "moving_variance": 3, "gamma": 0, "beta": 1, "kernel": 0, "bias": 1}
"""The number of a weight among those of its layer in a file of Keras."""


def plain(name: str) -> str:
    """Return a name with "_" for every sign between words.

    Example:
        >>> plain("layers.0/dense:kernel")
        'layers_0_dense_kernel'
    """
    return re.sub(r"\W+", "_", name).strip("_")


def entries_of(layer: AbstractLayer, level: int = 0) -> tuple[Entry, ...]:
    """Return MindSpore's parameters of a layer; none if it has no table."""
    if isinstance(layer, layers.Bidirectional):
        kind = RECURRENT[type(layer.layer)]
        return (
            *recurrent(kind, level, False, "forward/"),
            *recurrent(kind, level, True, "backward/"),
        )
    for cls, kind in RECURRENT.items():
        if isinstance(layer, cls):
            return recurrent(kind, level, False, "")
    if isinstance(layer, layers.MultiHeadAttention):
        return attention(layer.num_heads, True)
    tables = (
        (layers.Dense, DENSE),
        (KERNELS, CONV),
        (KERNELS_1D, CONV_1D),
        (layers.BatchNormalization, BATCH_NORM),
        ((layers.LayerNormalization, layers.GroupNormalization), SCALE_AND_SHIFT),
        (layers.Embedding, EMBEDDING),
        (layers.Activation, PRELU),
    )
    return next((table for cls, table in tables if isinstance(layer, cls)), ())


def sources(layer: AbstractLayer, path: str, name: str) -> Iterator[Source]:
    """Yield the places where a file may hold a weight, the most usual first.

    Args:
        layer: the layer that has it.
        path: the name of the layer in the file.
        name: of the weight below the layer.
    """
    yield Source((plain(f"{path}/{name}"),))
    level = re.fullmatch(r"(.*)_l(\d+)", path)
    places = [(path, 0), *([(level[1], int(level[2]))] if level else [])]
    for place, number in places:
        for entry in entries_of(layer, number):
            if entry.here != name:
                continue
            there = tuple(plain(f"{place}.{each}") for each in entry.there)
            yield Source(there, entry.layout)
            if entry.layout is not KERNEL and isinstance(layer, KERNELS_1D):
                yield Source(there, KERNEL)  # PyTorch's kernel has no axis of size 1
            other = tuple(plain(f"{place}.{PYTORCH.get(each, each)}") for each in entry.there)
            if other != there:
                yield Source(other, entry.layout)
    if name in KERAS:
        yield Source((plain(f"layers/{path}/vars/{KERAS[name]}"),))

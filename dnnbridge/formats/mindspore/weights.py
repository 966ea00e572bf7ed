"""Which parameters of MindSpore are which weights here: one table for both directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array


class Layout(NamedTuple):
    """How a weight here is written in MindSpore.

    Attributes:
        read: makes the weight here from the parameters.
        write: makes the parameters from the weight here.
    """

    read: Callable[..., Array]
    write: Callable[[Array], tuple[Array, ...]]


def _kernel(array: Array, window: int | None = None) -> Array:
    """(outputs, inputs, *window) -> (*window, inputs, outputs)"""
    if window is not None:  # MindSpore's 1D layers have a window of (1, n)
        array = array.reshape(*array.shape[:2], array.shape[-1])
    return np.moveaxis(array, (0, 1), (-1, -2))


SAME = Layout(lambda a: a, lambda a: (a,))
TRANSPOSED = Layout(lambda a: a.T, lambda a: (a.T,))
KERNEL = Layout(_kernel, lambda a: (np.moveaxis(a, (-1, -2), (0, 1)),))
KERNEL_1D = Layout(
    lambda a: _kernel(a, 1), lambda a: (np.moveaxis(a, (-1, -2), (0, 1))[:, :, None],)
)
ROWS = Layout(lambda *rows: np.stack(rows), tuple)
"""Two biases as the rows of one."""


def _gates(array: Array) -> Array:
    """Exchange the first two of three blocks: the order r, z, g and z, r, g."""
    first, second, third = np.split(array, 3, -1)
    return np.concatenate([second, first, third], -1)


GRU_KERNEL = Layout(lambda a: _gates(a.T), lambda a: (_gates(a).T,))
GRU_ROWS = Layout(
    lambda *rows: _gates(np.stack(rows)), lambda array: tuple(map(_gates, tuple(array)))
)


class Entry(NamedTuple):
    """One weight of a layer.

    Attributes:
        here: its name below the layer here.
        there: the parameters that hold it, by name below the Cell.
        layout: how they are converted.
    """

    here: str
    there: tuple[str, ...]
    layout: Layout = SAME


DENSE = (Entry("kernel", ("weight",), TRANSPOSED), Entry("bias", ("bias",)))
CONV = (Entry("kernel", ("weight",), KERNEL), Entry("bias", ("bias",)))
CONV_1D = (Entry("kernel", ("weight",), KERNEL_1D), Entry("bias", ("bias",)))
SCALE_AND_SHIFT = (Entry("gamma", ("gamma",)), Entry("beta", ("beta",)))
BATCH_NORM = (
    *SCALE_AND_SHIFT,
    Entry("moving_mean", ("moving_mean",)),
    Entry("moving_variance", ("moving_variance",)),
)
EMBEDDING = (Entry("embeddings", ("embedding_table",)),)
PRELU = (Entry("slope", ("w",)),)


def recurrent(kind: str, level: int, reverse: bool, below: str) -> tuple[Entry, ...]:
    """Return the weights of one direction of one level of LSTM, GRU or RNN."""
    end = f"l{level}{'_reverse' if reverse else ''}"
    kernel, rows = (GRU_KERNEL, GRU_ROWS) if kind == "GRU" else (TRANSPOSED, ROWS)
    return (
        Entry(f"{below}kernel", (f"weight_ih_{end}",), kernel),
        Entry(f"{below}recurrent_kernel", (f"weight_hh_{end}",), kernel),
        Entry(f"{below}bias", (f"bias_ih_{end}", f"bias_hh_{end}"), rows),
    )


def attention(heads: int, stacked: bool) -> tuple[Entry, ...]:
    """Return the weights of MultiheadAttention, whose maps may be stacked in one matrix."""

    def of_matrix(index: int) -> Layout:
        def read(array: Array) -> Array:
            part = np.split(array, 3)[index] if stacked else array
            return part.T.reshape(part.shape[1], heads, -1)

        return Layout(read, lambda a: (a.reshape(a.shape[0], -1).T,))

    def of_bias(index: int) -> Layout:
        return Layout(
            lambda a: np.split(a, 3)[index].reshape(heads, -1), lambda a: (a.reshape(-1),)
        )

    output = Layout(
        lambda a: a.T.reshape(heads, -1, a.shape[0]), lambda a: (a.reshape(-1, a.shape[-1]).T,)
    )
    entries = []
    for i, name in enumerate(("query", "key", "value")):
        matrix = "in_proj_weight" if stacked else f"{name[0]}_proj_weight"
        entries.append(Entry(f"{name}_kernel", (matrix,), of_matrix(i)))
        entries.append(Entry(f"{name}_bias", ("in_proj_bias",), of_bias(i)))
    return (
        *entries,
        Entry("output_kernel", ("out_proj.weight",), output),
        Entry("output_bias", ("out_proj.bias",)),
    )


TABLE: Mapping[str, tuple[Entry, ...]] = {
    "Dense": DENSE,
    **dict.fromkeys(("Conv2d", "Conv3d", "Conv2dTranspose", "Conv3dTranspose"), CONV),
    **dict.fromkeys(("Conv1d", "Conv1dTranspose"), CONV_1D),
    **dict.fromkeys(("BatchNorm1d", "BatchNorm2d", "BatchNorm3d"), BATCH_NORM),
    **dict.fromkeys(("LayerNorm", "GroupNorm"), SCALE_AND_SHIFT),
    "Embedding": EMBEDDING,
    "PReLU": PRELU,
}
"""The weights of each class of Cell whose names do not depend on its arguments."""

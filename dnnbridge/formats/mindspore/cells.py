"""What each class of `mindspore.nn` becomes: layers here, with the table of their weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dnnbridge import activations, layers
from dnnbridge.formats.mindspore.activations import CELLS
from dnnbridge.formats.mindspore.mint_cells import MINT
from dnnbridge.formats.mindspore.pools import POOLS
from dnnbridge.formats.mindspore.rule import (
    CHANNELS_FIRST,
    Part,
    Rule,
    UnsupportedError,
    need,
    sizes,
)
from dnnbridge.formats.mindspore.weights import TABLE, attention, recurrent
from dnnbridge.layers import AbstractLayer


def _dense(cell: Any, rank: int) -> list[Part]:
    made = layers.Dense(cell.out_channels, use_bias=bool(cell.has_bias))
    parts = [Part(made, TABLE["Dense"])]
    inner = getattr(cell, "activation", None)
    if inner is not None:
        name = type(inner).__name__
        need(name in CELLS or name == "PReLU", f"activation={name}")
        need(name != "PReLU", "activation=PReLU: call the PReLU after the Dense")
        found = CELLS[name](inner)
        need(found is not None, f"activation={inner}")
        parts[0] = Part(made.replace(activation=found), TABLE["Dense"])
    return parts


def _padding(cell: Any, axes: int) -> Any:
    mode = str(cell.pad_mode).lower()
    if mode in ("same", "valid"):
        return mode
    need(mode == "pad", f"pad_mode={mode!r}")
    given = cell.padding
    flat = tuple(given) if isinstance(given, (tuple, list)) else (given,) * (2 * axes)
    if axes == 1:
        flat = flat[-2:]
    elif len(flat) == axes:
        flat = tuple(each for each in flat for _ in range(2))
    return tuple((int(flat[2 * i]), int(flat[2 * i + 1])) for i in range(axes))


def _conv(axes: int) -> Rule:
    cls = {1: layers.Conv1D, 2: layers.Conv2D, 3: layers.Conv3D}[axes]

    def rule(cell: Any, rank: int) -> list[Part]:
        need(cell.data_format in CHANNELS_FIRST, f"data_format={cell.data_format!r}")
        made = cls(
            cell.out_channels,
            sizes(cell.kernel_size, axes),
            sizes(cell.stride, axes),
            _padding(cell, axes),
            "channels_first",
            sizes(cell.dilation, axes),
            cell.group,
            use_bias=bool(cell.has_bias),
        )
        return [Part(made, TABLE[f"Conv{axes}d"])]

    return rule


def _conv_transpose(axes: int) -> Rule:
    cls = {1: layers.Conv1DTranspose, 2: layers.Conv2DTranspose, 3: layers.Conv3DTranspose}[axes]

    def rule(cell: Any, rank: int) -> list[Part]:
        need(cell.group == 1, f"group={cell.group}")
        extra = getattr(cell, "output_padding", 0)
        need(not any(sizes(extra, axes)), f"output_padding={extra}")
        made = cls(
            cell.out_channels,
            sizes(cell.kernel_size, axes),
            sizes(cell.stride, axes),
            _padding(cell, axes),
            None,
            "channels_first",
            sizes(cell.dilation, axes),
            use_bias=bool(cell.has_bias),
        )
        return [Part(made, TABLE[f"Conv{axes}dTranspose"])]

    return rule


def _batch_norm(cell: Any, rank: int) -> list[Part]:
    need(cell.use_batch_statistics is not True, "use_batch_statistics=True")
    momentum = round(1.0 - float(cell.momentum), 12)  # the Cell keeps 1 - momentum
    made = layers.BatchNormalization(1, momentum, float(cell.eps), unbiased=True)
    return [Part(made, TABLE["BatchNorm2d"])]


def _layer_norm(cell: Any, rank: int) -> list[Part]:
    begin, params = (int(n) % rank for n in (cell.begin_norm_axis, cell.begin_params_axis))
    need(begin == params, f"begin_params_axis={cell.begin_params_axis}")
    axes = tuple(range(begin, rank))
    made = layers.LayerNormalization(axes if len(axes) > 1 else axes[0], float(cell.epsilon))
    return [Part(made, TABLE["LayerNorm"])]


def _group_norm(cell: Any, rank: int) -> list[Part]:
    made = layers.GroupNormalization(cell.num_groups, 1, float(cell.eps))
    return [Part(made, TABLE["GroupNorm"])]


def _embedding(cell: Any, rank: int) -> list[Part]:
    need(not cell.use_one_hot, "use_one_hot=True")
    # MindSpore only starts the row of padding_idx with 0; it is trained like the others.
    return [Part(layers.Embedding(cell.vocab_size, cell.embedding_size), TABLE["Embedding"])]


def _dropout(cls: Callable[..., AbstractLayer]) -> Rule:
    def rule(cell: Any, rank: int) -> list[Part]:
        given = getattr(cell, "p", None)
        rate = float(given) if given is not None else round(1.0 - float(cell.keep_prob), 7)
        more = {} if cls is layers.Dropout else {"data_format": "channels_first"}
        return [Part(cls(rate, **more))]

    return rule


def _recurrent(kind: str) -> Rule:
    kinds: dict[str, Any] = {"LSTM": layers.LSTM, "GRU": layers.GRU, "RNN": layers.SimpleRNN}
    cls = kinds[kind]

    def rule(cell: Any, rank: int) -> list[Part]:
        need(bool(cell.has_bias) or kind != "GRU", "has_bias=False")
        need(float(cell.dropout) == 0.0, f"dropout={cell.dropout}")
        fields: dict[str, Any] = {"use_bias": bool(cell.has_bias)}
        if kind == "RNN":
            fields["nonlinearity"] = _nonlinearity(cell)
        if not cell.has_bias:
            fields["use_recurrent_bias"] = False
        parts = []
        for level in range(cell.num_layers):
            made = cls.mindspore(cell.hidden_size, **fields)
            below = "forward/" if cell.bidirectional else ""
            entries = recurrent(kind, level, False, below)
            if cell.bidirectional:
                made = layers.Bidirectional(made)
                entries += recurrent(kind, level, True, "backward/")
            parts.append(Part(made, entries, f"_l{level}" if cell.num_layers > 1 else ""))
        return parts

    return rule


def _nonlinearity(cell: Any) -> str:
    """Return the activation of an RNN by its results: the Cell does not say it."""
    import numpy as np
    from mindspore import Tensor

    features = cell.w_ih_list[0].shape[-1]
    x = np.random.default_rng(0).normal(size=(8, 3, features)).astype(np.float32)
    return "tanh" if cell(Tensor(x))[0].asnumpy().min() < 0.0 else "relu"


def _attention(cell: Any, rank: int) -> list[Part]:
    need(bool(cell.batch_first), "batch_first=False: give batches first")
    need(cell.bias_k is None and not cell.add_zero_attn, "add_bias_kv or add_zero_attn")
    stacked = cell.in_proj_weight is not None
    made = layers.MultiHeadAttention(
        cell.num_heads,
        cell.head_dim,
        dropout=float(cell.dropout),
        use_bias=cell.in_proj_bias is not None,
    )
    return [Part(made, attention(cell.num_heads, stacked))]


def _prelu(cell: Any, rank: int) -> list[Part]:
    size = cell.get_parameters().__next__().shape[0]
    others = tuple(range(2, rank))
    found = (
        activations.PReLU(shared=True)
        if size == 1
        else activations.PReLU(shared_axes=others or None)
    )
    return [Part(layers.Activation(found), TABLE["PReLU"])]


def _flatten(cell: Any, rank: int) -> list[Part]:
    need((cell.start_dim, cell.end_dim % rank) == (1, rank - 1), "start_dim or end_dim")
    return [Part(layers.Flatten())]


def _activation(name: str) -> Rule:
    def rule(cell: Any, rank: int) -> list[Part]:
        found = CELLS[name](cell)
        if found is None:
            raise UnsupportedError("other limits than -1 and 1")
        return [Part(layers.Activation(found))]

    return rule


RULES: Mapping[str, Rule] = {
    "Dense": _dense,
    **{f"Conv{n}d": _conv(n) for n in (1, 2, 3)},
    **{f"Conv{n}dTranspose": _conv_transpose(n) for n in (1, 2, 3)},
    **{f"BatchNorm{n}d": _batch_norm for n in (1, 2, 3)},
    "LayerNorm": _layer_norm,
    "GroupNorm": _group_norm,
    "Embedding": _embedding,
    **POOLS,
    **MINT,
    "Dropout": _dropout(layers.Dropout),
    "Dropout1d": _dropout(layers.SpatialDropout1D),
    "Dropout2d": _dropout(layers.SpatialDropout2D),
    "Dropout3d": _dropout(layers.SpatialDropout3D),
    **{kind: _recurrent(kind) for kind in ("LSTM", "GRU", "RNN")},
    "MultiheadAttention": _attention,
    "PReLU": _prelu,
    "Flatten": _flatten,
    **{name: _activation(name) for name in CELLS},
}
"""The rule of each class, by MindSpore's name."""

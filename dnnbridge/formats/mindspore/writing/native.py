"""The table of layers: the `mindspore.nn` layer that computes the same, where one is sound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dnnbridge import layers
from dnnbridge.formats.mindspore.writing.placement import SAME, Layout
from dnnbridge.formats.mindspore.writing.text import Text
from dnnbridge.formats.source.expressions import Code, call
from dnnbridge.graph import Call, Node

Shapes = Mapping[str, tuple[int, ...]]
"""The shapes of the weights of a layer, by the last part of their names."""


@dataclass(frozen=True)
class Native:
    """A layer of MindSpore, or of a class that the file defines.

    Attributes:
        source: what makes it.
        weights: the name there and the layout of each weight here.
        first: whether it takes and returns channels first.
        result: the result, from the call of the layer.
        fixed: weights there that the layer here does not have: they stay 0 and are not trained.
        needs: the class that the file must define.
    """

    source: Code
    weights: Mapping[str, tuple[str, Layout]] = field(default_factory=dict)
    first: bool = False
    result: Callable[[str], str] = Text
    fixed: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    needs: str = ""


Rule = Callable[[Any, Node, Shapes], Native | None]


def native_layer(node: Node, shapes: Shapes) -> Native | None:
    """Return the layer that a call can be written as; None if it needs a class of its own."""
    assert isinstance(node.op, Call)
    rule = RULES.get(type(node.op.spec))  # type: ignore[arg-type]
    return rule(node.op.spec, node, shapes) if rule else None


def _dense(layer: layers.Dense, node: Node, shapes: Shapes) -> Native:
    named = {} if layer.use_bias else {"has_bias": False}
    source = call("nn.Dense", shapes["kernel"], named)
    return Native(source, _with_bias(layer, {"kernel": ("weight", Layout((1, 0)))}))


def _with_bias(layer: Any, weights: dict[str, tuple[str, Layout]]) -> dict[str, Any]:
    return weights | ({"bias": ("bias", SAME)} if layer.use_bias else {})


def _window(layer: Any) -> dict[str, Any] | None:
    """Return the arguments of stride and padding; None if MindSpore has no such padding."""
    if layer.data_format != "channels_last" or layer.padding not in ("same", "valid"):
        return None
    return {"pad_mode": layer.padding}


def _conv(layer: Any, node: Node, shapes: Shapes) -> Native | None:
    named = _window(layer)
    if named is None:
        return None
    *window, channels, filters = shapes["kernel"]
    axes = len(window)
    named = {"stride": _plain(layer.strides, axes), **named}
    if _plain(layer.dilation_rate, axes) != 1:
        named["dilation"] = _plain(layer.dilation_rate, axes)
    if layer.groups != 1:
        named["group"] = layer.groups
    given = [channels * layer.groups, filters, _plain(tuple(window), axes)]
    source = call(f"nn.Conv{axes}d", given, named | {"has_bias": layer.use_bias})
    order = (axes + 1, axes, *range(axes))
    shape = (filters, channels, 1, *window) if axes == 1 else None
    return Native(source, _with_bias(layer, {"kernel": ("weight", Layout(order, shape))}), True)


def _depthwise(layer: Any, node: Node, shapes: Shapes) -> Native | None:
    named = _window(layer)
    if named is None or "kernel" not in shapes:
        return None
    *window, channels, each = shapes["kernel"]
    axes = len(window)
    if axes != 2:
        return None
    named = {"stride": _plain(layer.strides, axes), **named, "group": channels}
    if _plain(layer.dilation_rate, axes) != 1:
        named["dilation"] = _plain(layer.dilation_rate, axes)
    given = [channels, channels * each, _plain(tuple(window), axes)]
    source = call(f"nn.Conv{axes}d", given, named | {"has_bias": layer.use_bias})
    layout = Layout((2, 3, 0, 1), (channels * each, 1, *window))
    return Native(source, _with_bias(layer, {"kernel": ("weight", layout)}), True)


def _plain(sizes: Any, axes: int) -> Any:
    """Return one number for equal sizes."""
    every = (sizes,) * axes if isinstance(sizes, int) else tuple(sizes)
    return every[0] if len(set(every)) == 1 else every


def _pool(name: str) -> Rule:
    def rule(layer: Any, node: Node, shapes: Shapes) -> Native | None:
        named = _window(layer)
        axes = len(layer.pool_size)
        plain = not layer.ceil_mode and _plain(getattr(layer, "dilation_rate", 1), axes) == 1
        if named is None or axes > 2 or not plain or getattr(layer, "count_include_pad", False):
            return None
        stride = _plain(layer.strides or layer.pool_size, axes)
        size = _plain(layer.pool_size, axes)
        source = call(f"nn.{name}Pool{axes}d", [size], {"stride": stride, **named})
        return Native(source, first=True)

    return rule


def _batch_norm(layer: layers.BatchNormalization, node: Node, shapes: Shapes) -> Native | None:
    rank = node.inputs[0].rank
    trains = len(node.outputs) > 1  # otherwise the running statistics are frozen
    if layer.axis not in (-1, rank - 1) or not (layer.center and layer.scale and trains):
        return None
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    given = [shapes["gamma"][0]]
    named = {"eps": layer.epsilon, "momentum": layer.momentum}
    if layer.unbiased:
        named["unbiased"] = True
    return Native(
        call("BatchNorm", given, named),
        {name: (name, SAME) for name in names},
        rank > 2,
        needs="BatchNorm",
    )


def _layer_norm(layer: layers.LayerNormalization, node: Node, shapes: Shapes) -> Native | None:
    if layer.axis not in (-1, (-1,), node.inputs[0].rank - 1) or not (layer.center and layer.scale):
        return None
    source = call("nn.LayerNorm", [shapes["gamma"]], {"epsilon": layer.epsilon})
    return Native(source, {name: (name, SAME) for name in ("gamma", "beta")})


def _embedding(layer: layers.Embedding, node: Node, shapes: Shapes) -> Native | None:
    if layer.padding_idx is not None:
        return None
    source = call("nn.Embedding", shapes["embeddings"])
    return Native(source, {"embeddings": ("embedding_table", SAME)})


def _lstm(layer: layers.LSTM, node: Node, shapes: Shapes) -> Native | None:
    alone = len(node.inputs) == 1 + len(shapes) and len(node.outputs) == 1
    if not (layer.is_plain and alone) or layer.go_backwards or layer.use_recurrent_bias:
        return None
    features, width = shapes["kernel"]
    named = {} if layer.use_bias else {"has_bias": False}
    source = call("nn.LSTM", [features, layer.units], {**named, "batch_first": True})
    turned = Layout((1, 0))
    weights = {
        "kernel": ("weight_ih_l0", turned),
        "recurrent_kernel": ("weight_hh_l0", turned),
    }
    fixed = {}
    if layer.use_bias:
        weights["bias"], fixed["bias_hh_l0"] = ("bias_ih_l0", SAME), (width,)
    end = "[0]" if layer.return_sequences else "[0][:, -1]"
    return Native(source, weights, result=lambda made: Text(made + end), fixed=fixed)


RULES: dict[type[layers.AbstractLayer], Rule] = {
    layers.AveragePooling1D: _pool("Avg"),
    layers.AveragePooling2D: _pool("Avg"),
    layers.BatchNormalization: _batch_norm,
    layers.Conv1D: _conv,
    layers.Conv2D: _conv,
    layers.Conv3D: _conv,
    layers.Dense: _dense,
    layers.DepthwiseConv2D: _depthwise,
    layers.Embedding: _embedding,
    layers.LSTM: _lstm,
    layers.LayerNormalization: _layer_norm,
    layers.MaxPooling1D: _pool("Max"),
    layers.MaxPooling2D: _pool("Max"),
}
"""Layers with a sound counterpart. nn.GRU and nn.RNN are left out: they use `ops.tanh`, whose error
on a CPU is 1e-4."""

BATCH_NORM = '''\
class BatchNorm(nn.Cell):
    """Batch normalisation over axis 1.

    It is `nn.BatchNorm2d`, except that the running variance follows the variance of the batch
    itself; MindSpore's follows n / (n - 1) times of it, as here with `unbiased`.
    """

    def __init__(self, features, eps, momentum, unbiased=False):
        super().__init__()
        self.eps, self.momentum, self.unbiased = eps, momentum, unbiased
        self.gamma = weight((features,))
        self.beta = weight((features,))
        self.moving_mean = weight((features,), trained=False)
        self.moving_variance = weight((features,), trained=False)

    def construct(self, x):
        shape = (1, -1) + (1,) * (x.ndim - 2)
        if self.training:
            axes = (0,) + tuple(range(2, x.ndim))
            mean = ops.mean(x, axes)
            distance = x - ops.reshape(mean, shape)
            variance = ops.mean(ops.square(distance), axes)
            count = x.size // x.shape[1]
            followed = variance * (count / max(count - 1, 1)) if self.unbiased else variance
            old, new = self.momentum, 1.0 - self.momentum
            ops.assign(self.moving_mean, old * self.moving_mean + new * mean)
            ops.assign(self.moving_variance, old * self.moving_variance + new * followed)
        else:
            distance = x - ops.reshape(self.moving_mean, shape)
            variance = self.moving_variance
        factor = self.gamma / ops.sqrt(variance + self.eps)
        return distance * ops.reshape(factor, shape) + ops.reshape(self.beta, shape)
'''

CLASSES = {"BatchNorm": BATCH_NORM}
"""The classes that layers of the table may need."""

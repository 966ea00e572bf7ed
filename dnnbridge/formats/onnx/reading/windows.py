"""Convolutions and pools, with channels first."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from dnnbridge import layers
from dnnbridge.base.arrays import Array
from dnnbridge.formats.onnx.reading.along_axis import chosen
from dnnbridge.formats.onnx.reading.call import Call
from dnnbridge.formats.onnx.reading.values import Known, Tensor, known
from dnnbridge.layers import AbstractLayer

Pairs = tuple[tuple[int, int], ...]

CONV = {1: layers.Conv1D, 2: layers.Conv2D, 3: layers.Conv3D}
TRANSPOSED = {1: layers.Conv1DTranspose, 2: layers.Conv2DTranspose, 3: layers.Conv3DTranspose}
MAX = {1: layers.MaxPooling1D, 2: layers.MaxPooling2D, 3: layers.MaxPooling3D}
AVERAGE = {1: layers.AveragePooling1D, 2: layers.AveragePooling2D, 3: layers.AveragePooling3D}
GLOBAL = {
    "Average": (
        layers.GlobalAveragePooling1D,
        layers.GlobalAveragePooling2D,
        layers.GlobalAveragePooling3D,
    ),
    "Max": (layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D),
}


def _axes(call: Call) -> int:
    """Return the number of spatial axes."""
    axes = call.tensor().rank - 2
    call.require(axes in (1, 2, 3), f"{axes} spatial axes")
    return axes


def _sizes(call: Call, name: str, axes: int) -> tuple[int, ...]:
    given = tuple(call.get(name, (1,) * axes))
    call.require(len(given) == axes, f"{name}={given}")
    return given


def _padding(
    call: Call, window: tuple[int, ...], strides: tuple[int, ...], dilation: tuple[int, ...]
) -> Pairs:
    """Return the numbers of zeros (before, after) of each spatial axis."""
    mode, axes = call.get("auto_pad", "NOTSET"), len(window)
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        made = _same(call, window, strides, dilation)
        return made if mode == "SAME_UPPER" else tuple((more, less) for less, more in made)
    given = (0,) * 2 * axes if mode == "VALID" else tuple(call.get("pads", (0,) * 2 * axes))
    call.require(len(given) == 2 * axes and min(given) >= 0, f"pads={given}")
    return tuple((int(given[i]), int(given[i + axes])) for i in range(axes))


def _same(
    call: Call, window: tuple[int, ...], strides: tuple[int, ...], dilation: tuple[int, ...]
) -> Pairs:
    """Return the zeros of padding "same": an odd one comes at the end."""
    made = []
    for n, k, s, d in zip(call.tensor().shape[1:], window, strides, dilation, strict=True):
        total = max((math.ceil(n / s) - 1) * s + (k - 1) * d + 1 - n, 0)
        made.append((total // 2, total - total // 2))
    return tuple(made)


def _named_padding(
    call: Call, window: tuple[int, ...], strides: tuple[int, ...], dilation: tuple[int, ...]
) -> Any:
    """Return "valid" or "same" where the numbers are those, as Keras knows no other padding."""
    made = _padding(call, window, strides, dilation)
    if not any(n for pair in made for n in pair):
        return "valid"
    return "same" if made == _same(call, window, strides, dilation) else made


def _kernel(array: Array) -> Array:
    """(first, second, *window) -> (*window, second, first)"""
    return np.moveaxis(array, (0, 1), (-1, -2))


def conv(call: Call) -> Tensor:
    axes, x, weight = _axes(call), call.tensor(), call.weight(1)
    array = weight.fixed
    call.require(array.ndim == axes + 2, f"a kernel of shape {array.shape}")
    window, filters, groups = array.shape[2:], array.shape[0], int(call.get("group", 1))
    strides, dilation = (_sizes(call, name, axes) for name in ("strides", "dilations"))
    padding = _named_padding(call, window, strides, dilation)
    biased = call.input(2) is not None
    weights, sources = {"kernel": _kernel(array)}, [weight]
    if biased:
        weights["bias"] = call.weight(2).fixed
        sources.append(call.weight(2))
    made: AbstractLayer
    if axes == 2 and groups == x.shape[0] > 1:
        times = filters // groups
        made = layers.DepthwiseConv2D(
            window, strides, padding, times, "channels_first", dilation, use_bias=biased
        )
        kernel = np.moveaxis(array[:, 0], 0, -1)
        weights["kernel"] = kernel.reshape(*window, groups, times)
    else:
        made = CONV[axes](
            filters, window, strides, padding, "channels_first", dilation, groups, use_bias=biased
        )
    return call.layer(made, x, weights=weights, sources=tuple(sources))


def conv_transpose(call: Call) -> Tensor:
    x, weight, groups = call.tensor(), call.weight(1), int(call.get("group", 1))
    if groups == 1:
        return _transposed(call, x, [call.weight(i) for i in (1, 2) if call.input(i) is not None])
    call.require(x.shape[0] % groups == 0, f"group={groups} of {x.shape[0]} channels")
    each, made = x.shape[0] // groups, []
    biases = np.split(call.weight(2).fixed, groups) if call.input(2) is not None else []
    for index, kernel in enumerate(np.split(weight.fixed, groups)):
        part = call.layer(layers.Slice((slice(None), slice(each * index, each * (index + 1)))), x)
        sources = [known(kernel, weight.name)]
        sources += [known(bias, call.weight(2).name) for bias in biases[index : index + 1]]
        made.append(_transposed(call, part, sources))
    return call.layer(layers.Concatenate(1), *made)


def _transposed(call: Call, x: Tensor, sources: list[Known]) -> Tensor:
    """Call a transposed convolution with a kernel and perhaps a bias."""
    axes, array = _axes(call), sources[0].fixed
    call.require(array.ndim == axes + 2, f"a kernel of shape {array.shape}")
    call.require(call.get("output_shape", None) is None, "output_shape")
    mode = call.get("auto_pad", "NOTSET")
    call.require(mode in ("NOTSET", "VALID"), f"auto_pad={mode}")
    window = array.shape[2:]
    strides, dilation = (_sizes(call, name, axes) for name in ("strides", "dilations"))
    extra = tuple(call.get("output_padding", (0,) * axes))
    made = TRANSPOSED[axes](
        array.shape[1],
        window,
        strides,
        _padding(call, window, strides, dilation),
        extra if any(extra) else None,
        "channels_first",
        dilation,
        use_bias=len(sources) > 1,
    )
    weights = {"kernel": _kernel(array)}
    if len(sources) > 1:
        weights["bias"] = sources[1].fixed
    return call.layer(made, x, weights=weights, sources=tuple(sources))


def max_pool(call: Call) -> Tensor:
    axes = _axes(call)
    window, strides, dilation = (
        _sizes(call, name, axes) for name in ("kernel_shape", "strides", "dilations")
    )
    call.require(len(list(filter(None, call.node.output))) == 1, "the indices as a second result")
    call.require(call.get("storage_order", 0) == 0, "storage_order=1")
    ceil = bool(call.get("ceil_mode", 0))
    padding = (_padding if ceil else _named_padding)(call, window, strides, dilation)
    made = MAX[axes](window, strides, padding, "channels_first", ceil, dilation)
    return call.layer(made, call.tensor())


def average_pool(call: Call) -> Tensor:
    axes = _axes(call)
    window, strides, dilation = (
        _sizes(call, name, axes) for name in ("kernel_shape", "strides", "dilations")
    )
    call.require(set(dilation) == {1}, f"dilations={dilation}")
    ceil = bool(call.get("ceil_mode", 0))
    padding = (_padding if ceil else _named_padding)(call, window, strides, dilation)
    counted = bool(call.get("count_include_pad", 0)) and padding != "valid"
    made = AVERAGE[axes](window, strides, padding, "channels_first", counted, ceil)
    return call.layer(made, call.tensor())


def global_pool(kind: str) -> Callable[[Call], Tensor]:
    def rule(call: Call) -> Tensor:
        made = GLOBAL[kind][_axes(call) - 1]("channels_first", keepdims=True)
        return call.layer(made, call.tensor())

    return rule


PADDED: dict[str, Any] = {"edge": "edge", "reflect": "reflect", "wrap": "wrap"}
"""NumPy's name of each mode that repeats elements."""


def _padded_with_elements(call: Call, x: Tensor, pairs: list[tuple[int, int]], mode: Any) -> Tensor:
    call.require(not any(pairs[0]), "pads of the batch")
    for axis, pair in enumerate(pairs):
        if any(pair):
            x = chosen(call, x, axis, np.pad(np.arange(x.shape[axis - 1]), pair, mode))
    return x


def pad(call: Call) -> Tensor:
    x, given = call.tensor(), call.constant(1, "pads")
    mode = call.get("mode", "constant")
    call.require(mode in ("constant", *PADDED), f"mode={mode}")
    value = call.constant(2, "value")
    call.require(mode != "constant" or value is None or not np.any(value), "a value other than 0")
    call.require(given is not None, "no pads")
    axes = call.axes(3, x.rank) or tuple(range(x.rank))
    pads = np.asarray(given).ravel().tolist()
    call.require(len(pads) == 2 * len(axes) and min(pads, default=0) >= 0, f"pads={pads}")
    pairs = [(0, 0)] * x.rank
    for i, axis in enumerate(axes):
        pairs[axis] = (pads[i], pads[i + len(axes)])
    if not any(map(any, pairs)):
        return x
    if mode in PADDED:
        return _padded_with_elements(call, x, pairs, PADDED[mode])
    zero = {1: layers.ZeroPadding1D, 2: layers.ZeroPadding2D, 3: layers.ZeroPadding3D}
    spatial = x.rank - 2
    if not any(map(any, pairs[:-1])):
        return call.layer(layers.PadFeatures(*pairs[-1]), x)
    call.require(spatial in zero and not any(pairs[0]), f"pads={pads}")
    if not any(pairs[1]):
        return call.layer(zero[spatial](tuple(pairs[2:]), "channels_first"), x)
    if not any(pairs[-1]):
        return call.layer(zero[spatial](tuple(pairs[1:-1]), "channels_last"), x)
    first = call.layer(zero[spatial](tuple(pairs[1:-1]), "channels_last"), x)
    return call.layer(layers.PadFeatures(*pairs[-1]), first)

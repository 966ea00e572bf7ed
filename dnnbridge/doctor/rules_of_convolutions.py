"""Rules about convolutions and pools."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from dnnbridge import layers
from dnnbridge.doctor.native_code import Name, alone, call, channels
from dnnbridge.doctor.rule import Place, Remedy, Rule
from dnnbridge.doctor.subject import Framework, Subject

CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D, layers.DepthwiseConv2D)

CLASSES = ("Conv1D", "Conv2D", "Conv3D", "DepthwiseConv2D")

POOLS = {
    layers.MaxPooling2D: "MaxPool2d",
    layers.AveragePooling2D: "AvgPool2d",
}
"""The pools, and their classes in MindSpore."""


def _convolutions(subject: Subject) -> Iterator[Place]:
    for each in subject.of(*CONVOLUTIONS):
        layer: Any = each.layer
        note = f"padding {layer.padding!r}, {'with' if layer.use_bias else 'no'} bias"
        yield Place(each.path, layer, note, each.shape, each.weights)


def _bare(subject: Subject) -> Iterator[Place]:
    return (place._replace(note="") for place in _convolutions(subject))


def _inputs(place: Place) -> Any:
    first = place.spec.data_format == "channels_first"
    return channels(place.shape[:1] if first and place.shape else place.shape)


def _in_mindspore(place: Place) -> str:
    layer, given = place.spec, _inputs(place)
    deep = isinstance(layer, layers.DepthwiseConv2D)
    name = "Conv2d" if deep else type(layer).__name__.replace("D", "d")
    known = isinstance(given, int)
    made = given * layer.depth_multiplier if deep and known else Name("channels")
    sizes: dict[str, Any] = {"stride": alone(layer.strides), "dilation": alone(layer.dilation_rate)}
    options = {name: size for name, size in sizes.items() if size != 1}
    if isinstance(layer.padding, str):
        options["pad_mode"] = layer.padding
    else:
        options |= {"pad_mode": "pad", "padding": tuple(itertools.chain(*layer.padding))}
    groups = given if deep else layer.groups
    options |= {} if groups == 1 else {"group": groups}
    filters = made if deep else layer.filters
    return call(
        f"nn.{name}", given, filters, alone(layer.kernel_size), **options, has_bias=layer.use_bias
    )


def _format(layer: Any) -> dict[str, str]:
    """Return the argument for channels first; last is the default of Keras."""
    return {} if layer.data_format == "channels_last" else {"data_format": layer.data_format}


def _in_keras(place: Place) -> str:
    layer = place.spec
    first = () if isinstance(layer, layers.DepthwiseConv2D) else (layer.filters,)
    sizes = {"strides": alone(layer.strides), "dilation_rate": alone(layer.dilation_rate)}
    options: dict[str, Any] = {name: size for name, size in sizes.items() if size != 1}
    options |= _format(layer)
    name = f"keras.layers.{type(layer).__name__}"
    size = alone(layer.kernel_size)
    if isinstance(layer.padding, str):
        return call(name, *first, size, **options, padding=layer.padding, use_bias=layer.use_bias)
    padding = f"keras.layers.ZeroPadding{len(layer.padding)}D"
    pads = call(padding, tuple(layer.padding), **_format(layer))
    made = call(name, *first, size, **options, use_bias=layer.use_bias)
    return f"keras.Sequential([{pads}, {made}])"


def _written(place: Place) -> Remedy:
    return Remedy(_in_keras(place), _in_mindspore(place))


def _other_defaults(place: Place, to: Framework) -> bool:
    default = ("same", False) if to == "mindspore" else ("valid", True)
    return (place.spec.padding, place.spec.use_bias) != default


def _channels_first(place: Place) -> Remedy:
    axes = len(place.shape or (0, 0, 0))
    order = (0, axes, *range(1, axes))
    return Remedy(_in_keras(place), f"{_in_mindspore(place)}(ops.transpose(x, {order}))")


def _pools(subject: Subject) -> Iterator[Place]:
    for each in subject.of(*POOLS):
        layer: Any = each.layer
        note = f"window {layer.pool_size}"
        yield Place(each.path, layer, note, each.shape, each.weights)


def _strides(layer: Any) -> Any:
    return alone(layer.pool_size if layer.strides is None else layer.strides)


def _pool(place: Place) -> Remedy:
    layer = place.spec
    size, strides = alone(layer.pool_size), _strides(layer)
    keras, mindspore = type(layer).__name__, POOLS[type(layer)]
    return Remedy(
        call(
            f"keras.layers.{keras}",
            size,
            strides=strides,
            padding=layer.padding,
            **_format(layer),
        ),
        call(f"nn.{mindspore}", size, stride=strides, pad_mode=layer.padding),
    )


def _other_pool(place: Place, to: Framework) -> bool:
    layer, default = place.spec, 1 if to == "mindspore" else 2
    return (alone(layer.pool_size), _strides(layer)) != (default, default)


def _counted(subject: Subject) -> Iterator[Place]:
    for each in subject.of(layers.AveragePooling2D):
        layer: Any = each.layer
        if layer.padding == "same" and layer.count_include_pad:
            yield Place(each.path, layer, "", each.shape, each.weights)


def _pads(size: int | None, window: int, stride: int) -> tuple[Any, Any]:
    """Return how many zeros "same" puts before and after an axis."""
    if size is None:
        return Name("before"), Name("after")
    total = max((-(-size // stride) - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


def _padded(place: Place) -> Remedy:
    """Write the zeros and then the pool, which counts them."""
    layer, shape = place.spec, place.shape or (None, None, None)
    last = layer.data_format == "channels_last"
    sizes = shape[:-1] if last else shape[1:]
    window = (layer.pool_size,) * 2 if isinstance(layer.pool_size, int) else layer.pool_size
    strides = _strides(layer)
    strides = (strides,) * 2 if isinstance(strides, int) else strides
    pads = [_pads(*each) for each in zip(sizes, window, strides, strict=True)]
    keras = [
        call("keras.layers.ZeroPadding2D", tuple(pads), **_format(layer)),
        call(
            "keras.layers.AveragePooling2D",
            alone(window),
            strides=alone(strides),
            **_format(layer),
        ),
    ]
    mindspore = [
        call("nn.ZeroPad2d", (*pads[1], *pads[0])),
        call("nn.AvgPool2d", alone(window), stride=alone(strides)),
    ]
    return Remedy(
        f"keras.Sequential([{', '.join(keras)}])", f"nn.SequentialCell({', '.join(mindspore)})"
    )


RULES_OF_CONVOLUTIONS: tuple[Rule, ...] = (
    Rule(
        name="conv-defaults",
        stage="layer",
        keras=CLASSES,
        mindspore=("Conv1d", "Conv2d", "Conv3d"),
        places=_convolutions,
        says="By default MindSpore pads ('same') and has no bias; Keras does not pad and has one.",
        remedy=_written,
        bites=_other_defaults,
    ),
    Rule(
        name="conv-nhwc",
        stage="input",
        keras=CLASSES,
        mindspore=("Conv1d", "Conv2d", "Conv3d"),
        places=_bare,
        says="On a CPU MindSpore's convolutions take channels first only, with kernels (outputs, "
        "inputs, *window); Keras' kernels are (*window, inputs, outputs).",
        remedy=_channels_first,
        bites=lambda place, to: to == "mindspore" and place.spec.data_format == "channels_last",
    ),
    Rule(
        name="max-pool-defaults",
        stage="layer",
        keras=("MaxPooling2D", "AveragePooling2D"),
        mindspore=("MaxPool2d", "AvgPool2d"),
        places=_pools,
        says="`nn.MaxPool2d()` and `nn.AvgPool2d()` have a window of 1 by default, Keras' pools "
        "of 2. The stride is 1 by default in MindSpore, the window in Keras.",
        remedy=_pool,
        bites=_other_pool,
    ),
    Rule(
        name="average-pool-padding",
        stage="layer",
        keras=("AveragePooling2D",),
        mindspore=("AvgPool2d",),
        places=_counted,
        says="`nn.AvgPool2d(count_include_pad=True)` leaves the padding out all the same.",
        remedy=_padded,
        targets=("mindspore", "tensorflow"),
    ),
)

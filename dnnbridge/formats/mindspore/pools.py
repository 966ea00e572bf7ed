"""What each pool of `mindspore.nn` becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dnnbridge import layers
from dnnbridge.formats.mindspore.rule import CHANNELS_FIRST, Part, Rule, need, sizes
from dnnbridge.layers import AbstractLayer


def _pool(cls: Callable[..., AbstractLayer], axes: int) -> Rule:
    largest = "Max" in cls.__name__

    def rule(cell: Any, rank: int) -> list[Part]:
        mode = str(cell.pad_mode).lower()
        need(cell.format in CHANNELS_FIRST, f"data_format={cell.format!r}")
        need(rank == axes + 2, "an input without a batch")
        need(not getattr(cell, "return_indices", False), "return_indices=True")
        window, step = sizes(cell.kernel_size, axes), sizes(cell.stride, axes)
        given = (cell.max_pool if largest else cell.avg_pool).init_attrs
        padding: Any = mode
        fields: dict[str, Any] = {"ceil_mode": bool(given.get("ceil_mode"))}
        if mode == "pad":
            padding = _pairs(given, axes)
            if not largest:
                fields["count_include_pad"] = bool(given["count_include_pad"])
        if largest:
            fields["dilation_rate"] = sizes(given.get("dilation", 1), axes)
        need(not given.get("divisor_override"), f"divisor_override={given}")
        return [Part(cls(window, step, padding, "channels_first", **fields))]

    return rule


def _pairs(given: Mapping[str, Any], axes: int) -> tuple[tuple[int, int], ...]:
    """Return the padding before and after each axis."""
    flat = next(given[name] for name in ("pads", "pad", "pad_list") if name in given)
    flat = flat if isinstance(flat, (tuple, list)) else (flat,) * axes
    if len(flat) < 6:  # one number for each axis; there are three
        flat = [number for number in flat for _ in range(2)]
    last = [int(number) for number in flat[-2 * axes :]]
    return tuple((last[2 * i], last[2 * i + 1]) for i in range(axes))


def _adaptive(cls: Callable[..., AbstractLayer], axes: int, operator: str) -> Rule:
    def rule(cell: Any, rank: int) -> list[Part]:
        size = getattr(getattr(cell, operator, cell), "output_size", None)
        size = cell.output_size if size is None else size
        size = tuple(size.asnumpy().tolist()) if hasattr(size, "asnumpy") else size
        need(not getattr(cell, "return_indices", False), "return_indices=True")
        need(None not in (size if isinstance(size, tuple) else (size,)), f"output_size={size}")
        need(rank == axes + 2, "an input without a batch")
        return [Part(cls(sizes(size, axes), "channels_first"))]

    return rule


def _zero_padding(cell: Any, rank: int) -> list[Part]:
    need(not cell.value, f"value={cell.value}")
    left, right, top, bottom = sizes(cell.padding, 4)
    need(min(left, right, top, bottom) >= 0 and rank == 4, f"padding={cell.padding}")
    pairs = ((top, bottom), (left, right))
    return [Part(layers.ZeroPadding2D(pairs, "channels_first"))]


POOLS: Mapping[str, Rule] = {
    "MaxPool1d": _pool(layers.MaxPooling1D, 1),
    "MaxPool2d": _pool(layers.MaxPooling2D, 2),
    "MaxPool3d": _pool(layers.MaxPooling3D, 3),
    "AvgPool1d": _pool(layers.AveragePooling1D, 1),
    "AvgPool2d": _pool(layers.AveragePooling2D, 2),
    "AvgPool3d": _pool(layers.AveragePooling3D, 3),
    "AdaptiveAvgPool1d": _adaptive(layers.AdaptiveAveragePooling1D, 1, ""),
    "AdaptiveAvgPool2d": _adaptive(layers.AdaptiveAveragePooling2D, 2, "adaptive_avgpool2d"),
    "AdaptiveAvgPool3d": _adaptive(layers.AdaptiveAveragePooling3D, 3, "adaptive_avg_pool3d"),
    "AdaptiveMaxPool1d": _adaptive(layers.AdaptiveMaxPooling1D, 1, ""),
    "AdaptiveMaxPool2d": _adaptive(layers.AdaptiveMaxPooling2D, 2, "adaptive_maxpool2d"),
    "AdaptiveMaxPool3d": _adaptive(layers.AdaptiveMaxPooling3D, 3, "adaptive_max_pool3d"),
    "ZeroPad2d": _zero_padding,
    "ConstantPad2d": _zero_padding,
}
"""The rule of each class, by MindSpore's name."""

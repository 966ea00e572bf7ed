"""Conversion of layouts: equations are written with channels last."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.specs.fields import DataFormat


def enter(scope: Scope, x: Value, axes: int, data_format: DataFormat) -> Value:
    """Return the input with channels last, or raise unless it has `axes` axes of known size."""
    scope.require(
        x.rank == axes + 2 and None not in x.shape[1:],
        f"expected (batch, {', '.join(['size'] * axes)}, channels)"
        if data_format == "channels_last"
        else f"expected (batch, channels, {', '.join(['size'] * axes)})",
        got=f"({shape_text(x.shape)})",
        hint="Reshape the input, or use the 1D, 2D or 3D layer that fits its axes.",
    )
    if data_format == "channels_last":
        return x
    return ops.transpose(x, (0, *range(2, x.rank), 1))


def leave(y: Value, data_format: DataFormat) -> Value:
    """Convert a result from channels last to the layout of the layer."""
    if data_format == "channels_last":
        return y
    return ops.transpose(y, (0, y.rank - 1, *range(1, y.rank - 1)))

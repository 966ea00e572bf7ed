"""Which results are true or false in Keras. Here they are 1 or 0 in float32."""

from __future__ import annotations

from typing import Any

from dnnbridge.emit.symbol import AbstractSymbol
from dnnbridge.formats.keras.whole_numbers import KEEPING, dtype_of_symbol
from dnnbridge.layers import Cast, Compare, LayerOutput, Logical, PaddingMask, Reduce


def is_logical(symbol: Any) -> bool:
    """Return whether every element is 1 or 0, and means true or false."""
    if not isinstance(symbol, LayerOutput):
        return isinstance(symbol, AbstractSymbol) and dtype_of_symbol(symbol) == "bool"
    layer = symbol.layer
    if isinstance(layer, Reduce):
        keeps = layer.operation in ("max", "min")
    else:
        keeps = isinstance(layer, (*KEEPING, Cast))
    if keeps:
        return all(map(is_logical, symbol.inputs))
    return isinstance(layer, (Compare, Logical, PaddingMask))


def as_logical(symbol: AbstractSymbol) -> AbstractSymbol:
    """Return whether each element is not 0."""
    return symbol if is_logical(symbol) else Compare("not_equal", 0.0)(symbol)

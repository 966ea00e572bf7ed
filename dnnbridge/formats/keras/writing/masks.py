"""Masks that are given by hand, as arguments of calls of Keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dnnbridge.layers import (
    AbstractLayer,
    AdditiveAttention,
    Attention,
    BatchNormalization,
    Bidirectional,
    Compare,
    GlobalAveragePooling1D,
    GroupQueryAttention,
    Logical,
    MultiHeadAttention,
    PaddingMask,
    SetMask,
    TimeDistributed,
)
from dnnbridge.layers.recurrence import AbstractRecurrent

TRUTHS = (Compare, Logical, PaddingMask)
"""Layers whose results are true or false in Keras."""

WITH_MASK = (AbstractRecurrent, Bidirectional, GlobalAveragePooling1D)
"""Layers whose second input is a mask."""

READING = (*WITH_MASK, BatchNormalization, TimeDistributed)
"""Layers of Keras that take the mask of their input as an argument."""

LISTED = (Attention, AdditiveAttention)
OF_PAIRS = (GroupQueryAttention, MultiHeadAttention)

OF_INPUTS = ("query_mask", "value_mask", "key_mask")


def takes_last(layer: AbstractLayer, count: int) -> bool:
    """Return whether the last of so many inputs is a mask."""
    return isinstance(layer, SetMask) or (
        getattr(layer, "masked", False) or (isinstance(layer, WITH_MASK) and count > 1)
    )


def goes_on(layer: AbstractLayer) -> bool:
    """Return whether a result has the mask of the first input."""
    inner = layer.layer if isinstance(layer, Bidirectional) else layer
    if isinstance(inner, AbstractRecurrent):
        return inner.return_sequences
    return layer.passes_mask or isinstance(layer, (*LISTED, SetMask))


def drops(layer: AbstractLayer) -> bool:
    """Return whether a layer neither reads the mask of its input nor combines it with others."""
    return layer.mask_of.__func__ is AbstractLayer.mask_of and not layer.is_model  # type: ignore[attr-defined]


def arguments_for(
    layer: AbstractLayer, given: Sequence[Any], last: Any, rank: int
) -> Mapping[str, Any] | None:
    """Return the arguments of a call that are masks; None if Keras has none for them.

    Args:
        layer: that is called.
        given: for each input the mask that it was given by hand, or None.
        last: the mask that is the last input here, or None.
        rank: of that mask.
    """
    some = any(each is not None for each in given)
    given = [*given, *given] if len(given) == 1 else given  # the value of an attention is its query
    if isinstance(layer, READING):
        mask = given[0] if last is None else last
        return {} if mask is None else {"mask": mask}
    if isinstance(layer, LISTED):
        if some and last is not None:
            return None
        masks = [None, last] if last is not None else list(given[:2])
        return {"mask": masks} if some or last is not None else {}
    if isinstance(layer, OF_PAIRS):
        named = dict(zip(OF_INPUTS, given, strict=False))
        found = {name: mask for name, mask in named.items() if mask is not None}
        if last is not None and rank == 2:
            return None if some else {"value_mask": last}
        return found | ({} if last is None else {"attention_mask": last})
    return {} if not some or drops(layer) else None

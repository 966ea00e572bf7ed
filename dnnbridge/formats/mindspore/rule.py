"""What a rule for a class of Cell is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from dnnbridge.formats.mindspore.weights import Entry
from dnnbridge.layers import AbstractLayer


class Part(NamedTuple):
    """A layer here, and its weights.

    Attributes:
        layer: the layer.
        entries: which parameters of the Cell are its weights.
        end: what its name has after the name of the Cell.
    """

    layer: AbstractLayer
    entries: tuple[Entry, ...] = ()
    end: str = ""


class UnsupportedError(Exception):
    """A Cell has an argument without a counterpart; the text says which."""


Rule = Callable[[Any, int], list[Part]]
"""(Cell, rank of its input) -> the layers that do the same, one after another."""


def need(holds: bool, what: str) -> None:
    if not holds:
        raise UnsupportedError(what)


def sizes(value: Any, axes: int) -> tuple[int, ...]:
    """Return the last sizes of a window, one per axis."""
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,) * axes
    return tuple(int(each) for each in given[-axes:])


CHANNELS_FIRST = ("NCHW", "NCDHW", "NCL")

"""Write calls of classes of Keras and MindSpore as code."""

from __future__ import annotations

from typing import Any


class Name(str):
    """A name in code, written without quotes."""

    def __repr__(self) -> str:
        return str(self)


def call(name: str, *args: Any, **kwargs: Any) -> str:
    """Return a call as code.

    Example:
        >>> call("nn.Adam", Name("params"), 0.001, eps=1e-7)
        'nn.Adam(params, 0.001, eps=1e-07)'
    """
    given = [*map(repr, args), *(f"{key}={value!r}" for key, value in kwargs.items())]
    return f"{name}({', '.join(given)})"


def lines(*given: str) -> str:
    """Return lines of code, without those that are empty."""
    return "\n".join(line for line in given if line)


def channels(place_shape: Any) -> Any:
    """Return the size of the last axis, or a name to fill in."""
    return Name("channels") if not place_shape or place_shape[-1] is None else place_shape[-1]


def alone(sizes: Any) -> Any:
    """Return equal sizes as one number.

    Example:
        >>> alone((3, 3)), alone((3, 5)), alone(2)
        (3, (3, 5), 2)
    """
    if isinstance(sizes, (tuple, list)) and len(set(sizes)) == 1:
        return sizes[0]
    return tuple(sizes) if isinstance(sizes, list) else sizes

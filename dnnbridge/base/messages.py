"""Helpers for messages: names in snake case, shortened values, suggestions for wrong names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np


def snake_case(name: str) -> str:
    """Turn a class name into words as Keras does: "Conv2DTranspose" into "conv2d_transpose"."""
    return re.sub(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", name).lower()


def columns(rows: Sequence[Sequence[str]], words: int) -> list[str]:
    """Return rows as lines of a table: the first cells to the left, the others to the right.

    Example:
        >>> columns([("layer", "weights"), ("dense", "6")], words=1)
        ['layer  weights', 'dense        6']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if i < words else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def shorten(value: Any, limit: int = 80) -> str:
    """Return the repr of a value on one line; a long one ends in "…"."""
    try:
        text = re.sub(r"\s*\n\s*", " ", repr(value))
    except Exception:  # the repr of a wrong value may fail
        text = object.__repr__(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def what(value: Any) -> str:
    """Name a value for a message: a class by its name, an array by its shape."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return shorten(value)


def close_match(wrong: Any, known: Iterable[str]) -> str:
    """Suggest the known name nearest to a wrong one, and list them all."""
    names = sorted(known)
    text = wrong if isinstance(wrong, str) else shorten(wrong)
    near = difflib.get_close_matches(text, names, 1)
    return (f"Did you mean {near[0]!r}? " if near else "") + f"Known: {', '.join(names)}."


def name_some(names: Sequence[str], most: int = 3) -> str:
    """List names, and say how many more there are.

    Example:
        >>> name_some(["a", "b", "c", "d", "e"])
        'a, b, c and 2 more'
    """
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")

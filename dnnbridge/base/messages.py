"""Helpers for messages: names in snake case, shortened values, suggestions for wrong names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

import numpy as np


def snake_case(name: str) -> str:
    """Turn a class name into words as Keras does: "Conv2DTranspose" into "conv2d_transpose"."""
    return re.sub(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", name).lower()


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
    near = difflib.get_close_matches(str(wrong), names, 1)
    return (f"Did you mean {near[0]!r}? " if near else "") + f"Known: {', '.join(names)}."

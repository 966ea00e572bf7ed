"""Field types of lists of numbers, which accept arrays too and are kept as tuples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import PlainValidator

from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import shorten
from dnnbridge.errors import SpecError
from dnnbridge.specs.json_types import LARGEST, listed, read_as

SMALLEST_INT, LARGEST_INT = -(2**31), 2**31 - 1
"""The bounds of int32."""


def _items(value: Any, what: str) -> list[Any]:
    items = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(items, (list, tuple)):
        raise SpecError(f"expected a list of {what}", got=shorten(value))
    return [item.item() if isinstance(item, np.generic) else item for item in items]


def real_numbers(value: Any) -> tuple[float, ...]:
    """Return a list of finite numbers as a tuple of floats.

    Raises:
        SpecError: it is no list, or an item is no finite number within float32.

    Example:
        >>> real_numbers(np.array([1, 2]))
        (1.0, 2.0)
    """
    items = _items(value, "numbers")
    for item in items:
        # No NaN is at most a number. A whole number may be larger than any float.
        if type(item) not in (int, float) or not abs(item) <= LARGEST:
            raise SpecError("expected finite numbers within float32", got=shorten(item))
    return tuple(map(float, items))


def whole_numbers(value: Any) -> tuple[int, ...]:
    """Return a list of whole numbers within int32 as a tuple.

    Raises:
        SpecError: it is no list, or an item is no whole number within int32.

    Example:
        >>> whole_numbers([3, np.int64(5)])
        (3, 5)
    """
    items = _items(value, "whole numbers")
    for item in items:
        if type(item) is not int or not SMALLEST_INT <= item <= LARGEST_INT:
            raise SpecError("expected whole numbers within int32", got=shorten(item))
    return tuple(items)


def texts(value: Any) -> tuple[str, ...]:
    """Return a list of texts as a tuple.

    Raises:
        SpecError: it is no list, or an item is no text that UTF-8 can hold.

    Example:
        >>> texts(np.array(["no", "yes"]))
        ('no', 'yes')
    """
    if isinstance(value, str):
        hint = "Read a file with Path(file).read_text().splitlines()."
        raise SpecError("expected a list of texts", got=shorten(value), hint=hint)
    items = _items(value, "texts")
    for item in items:
        if not isinstance(item, str):
            raise SpecError("expected texts", got=shorten(item), hint="Give str objects.")
        text(item)
    return tuple(items)


def text(value: Any) -> Any:
    """Return a value; raise if it is a text that UTF-8 cannot hold."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            got = shorten(value)
            raise SpecError(f"UTF-8 cannot hold it: {error.reason}", got=got) from None
    return value


RealNumbers = Annotated[
    Sequence[float] | Array,
    PlainValidator(real_numbers),
    read_as(listed({"type": "number", "minimum": -LARGEST, "maximum": LARGEST})),
]
"""What a field of real numbers is given."""

WholeNumbers = Annotated[
    Sequence[int] | Array,
    PlainValidator(whole_numbers),
    read_as(listed({"type": "integer", "minimum": SMALLEST_INT, "maximum": LARGEST_INT})),
]
"""What a field of whole numbers is given."""

Texts = Annotated[Sequence[str] | Array, PlainValidator(texts), read_as(listed({"type": "string"}))]
"""What a field of texts is given."""

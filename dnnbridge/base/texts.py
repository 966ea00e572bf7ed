"""Texts as digests: whole numbers that are equal exactly when the texts are."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import shorten
from dnnbridge.errors import DataError, DTypeError

WORDS = 4
"""How many int32 numbers a digest has: 128 bits."""

KINDS = "USOT"
"""Kinds of dtypes of arrays that may hold texts."""


def as_object_array(given: Any) -> Array:
    """Return an array of the objects of nested lists, or of the elements of an array.

    NumPy would make texts of numbers that are beside texts in a list.

    Raises:
        ValueError: rows have different lengths.

    Example:
        >>> as_object_array([["a", 1.5]]).tolist()
        [['a', 1.5]]
    """
    if hasattr(given, "__array__"):
        return np.asarray(given)
    array = np.array(given, object)
    if any(isinstance(each, (list, tuple)) for each in array.ravel().tolist()):
        raise ValueError("inhomogeneous rows")
    return array


def as_texts(given: Any, where: str) -> Array:
    """Return an array of str.

    Args:
        given: an array, a column of pandas or polars, or nested lists; bytes are read as UTF-8.
        where: its name in messages.

    Raises:
        DTypeError: an element is no text.
        DataError: rows have different lengths, or bytes are no UTF-8.

    Example:
        >>> as_texts([b"no", "yes"], "x").tolist()
        ['no', 'yes']
    """
    try:
        array = as_object_array(given)
    except ValueError:
        raise DataError("has rows of different lengths", where=where) from None
    _distinct(array, where)
    listed = [_decoded(text, array, where) for text in array.ravel().tolist()]
    made = np.empty(len(listed), object)
    made[:] = listed
    return made.reshape(array.shape)


def digests(texts: Array, where: str) -> Array:
    """Return the digest of each text: int32, with one more axis of `WORDS` numbers.

    It is BLAKE2b of the text in UTF-8, so equal texts have equal digests. Two different texts have
    the same one with a probability of 2^-128. Each distinct text is hashed once.

    Args:
        texts: an array of str, or of bytes in UTF-8.
        where: the name of the array in messages.

    Raises:
        DTypeError: an element is no text.
        DataError: a text cannot be written in UTF-8.

    Example:
        >>> made = digests(np.array([["no", "yes"], ["yes", "no"]]), "x")
        >>> made.shape, made.dtype.name, bool((made[0, 0] == made[1, 1]).all())
        ((2, 2, 4), 'int32', True)
    """
    numbers = _distinct(texts, where)
    table = np.array([_digest(text, texts, where) for text in numbers], "<i4").reshape(-1, WORDS)
    made = table[[numbers[text] for text in texts.ravel().tolist()]] if numbers else table
    return np.ascontiguousarray(made.reshape(*texts.shape, WORDS), np.int32)


def _distinct(texts: Array, where: str) -> dict[str | bytes, int]:
    """Return each distinct text with a number from 0, or raise."""
    try:
        found = {text: i for i, text in enumerate(dict.fromkeys(texts.ravel().tolist()))}
    except TypeError:  # what cannot be hashed is no text
        raise _no_text(texts, where) from None
    if not all(isinstance(text, (str, bytes)) for text in found):
        raise _no_text(texts, where)
    return found


def _decoded(text: str | bytes, texts: Array, where: str) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise DataError(
            "holds bytes that are no UTF-8",
            where=_place(texts, where, lambda each: each == text),
            got=shorten(text),
            hint=f"Decode them before: {error.reason}.",
        ) from None


def _digest(text: str | bytes, texts: Array, where: str) -> Array:
    try:
        encoded = text.encode() if isinstance(text, str) else text
    except UnicodeEncodeError as error:
        raise DataError(
            "is a text that UTF-8 cannot hold",
            where=_place(texts, where, lambda each: each == text),
            got=shorten(text),
            hint=f"Replace it: it has {error.reason}.",
        ) from None
    return np.frombuffer(hashlib.blake2b(encoded, digest_size=4 * WORDS).digest(), "<i4")


def _no_text(texts: Array, where: str) -> DTypeError:
    def wrong(each: Any) -> bool:
        return not isinstance(each, (str, bytes))

    listed = texts.ravel().tolist()
    first = next(filter(wrong, listed))
    missing = first is None or type(first).__name__ in ("NAType", "NaTType")
    missing = missing or (isinstance(first, float) and first != first)
    hint = "Replace what is missing by a text, such as '' or 'missing', or leave the row out."
    return DTypeError(
        "needs texts",
        where=_place(texts, where, wrong),
        got=f"{shorten(first)} ({sum(map(wrong, listed))} such elements in total)",
        hint=hint if missing else "Write the numbers as texts: str(number).",
    )


def _place(texts: Array, where: str, wrong: Any) -> str:
    flat = next(i for i, each in enumerate(texts.ravel().tolist()) if wrong(each))
    index = np.unravel_index(flat, texts.shape)
    return f"{where}[{', '.join(map(str, index))}]"

"""Expressions of a Python file: literals and calls, broken into lines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

WIDTH = 88
"""Longest line of a file that is written."""


class Code(str):
    """Text that is an expression already; a plain str becomes a string literal."""

    __slots__ = ()


def literal(value: Any) -> str:
    """Return a value as a literal: None, numbers, texts, lists, tuples, dictionaries, `Code`.

    Raises:
        TypeError: there is no literal of the value.

    Example:
        >>> print(literal({"a": [1, 2.5, None], "b": (True,)}))
        {"a": [1, 2.5, None], "b": (True,)}
        >>> print(literal(float("inf")))
        float("inf")
    """
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if type(value) is str:
        return f'"{value}"' if value.isprintable() and not set(value) & set('"\\') else repr(value)
    if value is None or type(value) in (bool, int, float):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(k)}: {literal(v)}' for k, v in value.items())}}}"
    raise TypeError(f"no literal of {type(value).__name__}")


def docstring(text: str) -> str:
    """Return a docstring with a text, which may hold the name of a file.

    Example:
        >>> docstring("In a file.").strip('"')
        'In a file.'
    """
    safe = text.replace("\\", "\\\\").replace('"""', "'''")
    return f'"""{safe[:-1]}\\""""' if safe.endswith('"') else f'"""{safe}"""'


def call(
    function: str, arguments: Iterable[Any] = (), named: Mapping[str, Any] | None = None
) -> Code:
    """Return a call; `wrapped` breaks it into lines.

    Example:
        >>> print(call("Dense", [3], {"activation": "relu"}))
        Dense(3, activation="relu")
    """
    given = [literal(each) for each in arguments]
    given += [f"{name}={literal(value)}" for name, value in (named or {}).items()]
    return Code(f"{function}({', '.join(given)})")


def wrapped(line: str, indent: int = 0) -> str:
    """Return a statement, broken at its brackets where it is longer than `WIDTH`.

    Example:
        >>> print(wrapped("x = keras.layers.Dense(10, kernel_regularizer=keras.regularizers.L2(0.1"
        ...     "), bias_initializer='ones', name='a')(x)", 4))
            x = keras.layers.Dense(
                10,
                kernel_regularizer=keras.regularizers.L2(0.1),
                bias_initializer='ones',
                name='a',
            )(x)
    """
    if indent + len(line) <= WIDTH:
        return " " * indent + line
    found = _outer(line)
    if found is None:
        return " " * indent + line
    start, parts, end = found
    lines = [" " * indent + line[:start]]
    lines += [wrapped(f"{part},", indent + 4) for part in parts]
    return "\n".join([*lines, " " * indent + line[end:]])


def _outer(line: str) -> tuple[int, list[str], int] | None:
    """Return the longest bracket of a line: its start, what is between commas, and its end."""
    best: tuple[int, list[str], int] | None = None
    opened: list[int] = []
    cuts: list[int] = []
    for index, char in _outside_strings(line):
        if char in "([{":
            opened.append(index)
            cuts = [index] if len(opened) == 1 else cuts
        elif char == "," and len(opened) == 1:
            cuts.append(index)
        elif char in ")]}":
            start = opened.pop()
            longer = best is None or index - start > best[2] - best[0]
            if not opened and longer and _breaks(line, start, len(cuts)):
                ends = [*cuts[1:], index]
                parts = [line[a + 1 : b].strip() for a, b in zip(cuts, ends, strict=True)]
                best = start + 1, [part for part in parts if part], index
    return best if best and best[1] else None


def _breaks(line: str, start: int, parts: int) -> bool:
    """Return whether a comma at the end changes nothing in a bracket."""
    follows = start > 0 and (line[start - 1].isalnum() or line[start - 1] in "_)]")
    subscript = line[start] == "[" and follows
    return not subscript and (line[start] != "(" or follows or parts > 1)


def _outside_strings(line: str) -> Iterator[tuple[int, str]]:
    """Yield the characters that are not in a string literal, with their places."""
    quote, escaped = "", False
    for index, char in enumerate(line):
        if quote:
            if not escaped and char == quote:
                quote = ""
            escaped = char == "\\" and not escaped
        elif char in "'\"":
            quote = char
        else:
            yield index, char

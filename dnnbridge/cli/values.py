"""Parse values on the command line: JSON literals, never evaluated."""

from __future__ import annotations

import json
from typing import Any

from dnnbridge.errors import SpecError


def parse_value(text: str, where: str) -> Any:
    """Return the value of a JSON literal.

    Example:
        >>> parse_value("0.1", "args"), parse_value("[2, 5]", "args"), parse_value("true", "args")
        (0.1, [2, 5], True)
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except ValueError:
        raise SpecError(
            "must be a JSON literal",
            where=where,
            got=repr(text),
            hint='Write 0.1, 6, true, [2, 5] or "text" (quoted for the shell).',
        ) from None


def parse_pair(text: str) -> tuple[str, Any]:
    """Return the name and value of `name=value`.

    Example:
        >>> parse_pair("decay_steps=2")
        ('decay_steps', 2)
    """
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise SpecError(
            "must be name=value", where="--arg", got=repr(text), hint="Write --arg decay_steps=2."
        )
    return name, parse_value(value, f"--arg {name}")


def _no_constant(text: str) -> None:
    raise ValueError(text)

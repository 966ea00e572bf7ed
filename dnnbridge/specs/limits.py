"""Limits on a spec from a stranger, checked before memory is taken."""

from __future__ import annotations

import re
from typing import Any

from dnnbridge.errors import SpecError

CHARACTERS = 64 * 2**20
"""Longest JSON text of a spec."""

LEVELS = 100
"""Deepest nesting of JSON: a model in a model takes two."""

CONSTANT = 2**27
"""Most numbers of a constant array that a layer makes: 1 GiB in float64."""

NODES = 30_000
"""Most operations of a graph. A training step of ResNet-50 has 2,300."""

_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


def check_text(text: str) -> None:
    """Raise if a JSON text is longer or deeper than a spec may be.

    Raises:
        SpecError: it is.

    Example:
        >>> check_text('{"layers": [[1, "}]"]]}')
        >>> check_text("[" * 101)
        Traceback (most recent call last):
        dnnbridge.errors.SpecError: JSON is nested too deeply, got more than 100 levels. ...
    """
    if len(text) > CHARACTERS:
        raise SpecError(
            "the JSON text of a spec is too long",
            got=f"{len(text):,} characters",
            hint=f"At most {CHARACTERS:,} are read.",
        )
    depth = 0
    for token in _TOKENS.finditer(text):
        mark = token.group()[0]
        depth += (mark in "[{") - (mark in "]}")
        if depth > LEVELS:
            raise _too_deep()


def check_depth(data: Any) -> None:
    """Raise if lists and dictionaries are nested deeper than in a spec.

    Raises:
        SpecError: they are.
    """
    level = [data]
    for _ in range(LEVELS):
        level = [
            inner
            for each in level
            if isinstance(each, (dict, list, tuple))
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise _too_deep()


def _too_deep() -> SpecError:
    return SpecError(
        "JSON is nested too deeply",
        got=f"more than {LEVELS} levels",
        hint="Put fewer models inside each other.",
    )

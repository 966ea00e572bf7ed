"""The measured table of native differences, in short."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_name("native_differences.json")
"""What `tools/native_differences` measured, written by `tools/conversion_differences.py`."""

PAGE = "docs/measurements/native-differences.md"


class Effect(NamedTuple):
    """How large a difference is, as it was measured.

    Attributes:
        number: the difference divided by the larger of the two numbers, from 0 to 2; inf where one
            of them is not finite, and where one side raises an error.
        unit: of the number; "absolute" where the right numbers are 0, so that it is not divided.
        loud: whether one side raises an error, so that the difference cannot be missed.
        measured: the two numbers, as the page has them.
    """

    number: float
    unit: str
    loud: bool
    measured: Mapping[str, str]

    def __str__(self) -> str:
        sides = {"mindspore": "MindSpore", "keras": "Keras", "right": "right"}
        return "; ".join(f"{sides[n]} {_shortened(text)}" for n, text in self.measured.items())


class Row(NamedTuple):
    """A row of the page.

    Attributes:
        id: its name.
        title: its heading.
        kind: "wrong", "ignored", "fails" or "differs".
        says: what is documented, and what happens.
        here: what there is here.
        classes: what its code uses.
        measured: its numbers, by "mindspore", "keras" and "right".
    """

    id: str
    title: str
    kind: str
    says: str
    here: str
    classes: tuple[str, ...]
    measured: Mapping[str, str]

    @property
    def effect(self) -> Effect:
        """The size of the difference.

        Example:
            >>> effect = rows()["batch-norm-variance"].effect
            >>> round(effect.number, 3), effect.unit
            (0.156, 'of the larger number')
        """
        loud = any(_is_error(text) for text in self.measured.values()) or self.kind == "fails"
        first, *others = self.measured.values()
        if not loud and set(self.measured.get("right", "").split(", ")) == {"0"}:
            return Effect(_distance(first, others[0]), "absolute", loud, self.measured)
        number = math.inf if loud else _difference(first, others[0])
        if number == 0.0:  # both frameworks are wrong
            number = _difference(first, others[-1])
        return Effect(number, "of the larger number", loud, self.measured)


@cache
def rows() -> Mapping[str, Row]:
    """Return the rows by name, in the order of the page."""
    return {each["id"]: Row(**each) for each in json.loads(TABLE.read_text("utf-8"))}


def _shortened(text: str, length: int = 48) -> str:
    return text if len(text) <= length else f"{text[:length].strip('`')}…"


def _is_error(text: str) -> bool:
    return text.startswith("`") or text == "an error"


def _difference(one: str, other: str) -> float:
    """Return the largest relative difference of two lists of numbers in words.

    Example:
        >>> _difference("1, 2", "1, 4")
        0.5
    """
    try:
        pairs = zip(_numbers(one), _numbers(other), strict=True)
    except ValueError:  # words, or another count
        return 1.0
    return max(_relative(a, b) for a, b in pairs)


def _distance(one: str, other: str) -> float:
    """Return the largest absolute difference, for rows whose right numbers are 0.

    Example:
        >>> _distance("1, 3", "2, 1")
        2.0
    """
    pairs = zip(_numbers(one), _numbers(other), strict=True)
    return max(_absolute(a, b) for a, b in pairs)


def _absolute(a: float, b: float) -> float:
    return abs(a - b) if math.isfinite(a) and math.isfinite(b) else math.inf


def _numbers(text: str) -> list[float]:
    return [float(each) for each in text.removesuffix(" …").split(", ")]


def _relative(a: float, b: float) -> float:
    if not (math.isfinite(a) and math.isfinite(b)):
        return math.inf
    return 0.0 if a == b else abs(a - b) / max(abs(a), abs(b))

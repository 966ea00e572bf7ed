"""Names in generated source: unique, and different from those of Python, MindSpore and the loop."""

from __future__ import annotations

import math
import re
from typing import Self

from dnnbridge.backend import TensorType, Value


class Operand(str):
    """A source expression with the type of its value."""

    __slots__ = ("type",)

    type: TensorType

    def __new__(cls, source: str, type: TensorType) -> Self:
        made = super().__new__(cls, source)
        made.type = type
        return made


class Names:
    """Gives every value an identifier: a unique number and a readable suffix."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._known: dict[Value | str, str] = {}

    def __getitem__(self, key: Value | str) -> str:
        if key not in self._known:
            name = key if isinstance(key, str) else key.name
            end = "" if re.fullmatch(r"v\d+", name) else "_" + re.sub(r"\W", "_", name, flags=re.A)
            self._known[key] = f"{self.prefix}{len(self._known)}{end}"
        return self._known[key]

    def literal(self, value: Value, number: float) -> None:
        """Write a value as a number from now on."""
        self._known[value] = literal(number)


def literal(number: float) -> str:
    """Return a number as source; infinity and NaN have no literal in Python."""
    if math.isnan(number):
        return "(1e999 - 1e999)"
    if math.isinf(number):
        return "1e999" if number > 0 else "-1e999"
    return repr(number)

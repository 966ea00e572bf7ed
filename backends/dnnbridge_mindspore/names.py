"""Names in generated source: unique, and never one that Python, MindSpore or the loop uses."""

from __future__ import annotations

import math
import re
from typing import Self

from dnnbridge.backend import TensorType, Value


class Operand(str):
    """An expression of source, which knows the type of what it stands for."""

    __slots__ = ("type",)

    type: TensorType

    def __new__(cls, source: str, type: TensorType) -> Self:
        made = super().__new__(cls, source)
        made.type = type
        return made


class Names:
    """Gives every value one identifier: a number, which makes it unique, and a readable end."""

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
        """Let a value be written as a number."""
        self._known[value] = literal(number)


def literal(number: float) -> str:
    """Write a number as source; infinity and NaN have no literal of their own."""
    if math.isnan(number):
        return "(1e999 - 1e999)"
    if math.isinf(number):
        return "1e999" if number > 0 else "-1e999"
    return repr(number)

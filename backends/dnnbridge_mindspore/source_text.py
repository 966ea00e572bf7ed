"""Pieces of the source that is generated."""

from __future__ import annotations

from collections.abc import Sequence


def signature(name: str, arguments: Sequence[str]) -> str:
    return f"    def {name}({', '.join(['self', *arguments])}):"


def indented(lines: Sequence[str]) -> list[str]:
    return [f"        {line}" for line in lines]


def tensor(argument: str) -> str:
    """Return the argument, a literal as a tensor."""
    return argument if argument.isidentifier() else f"ms.Tensor({argument}, ms.float32)"


def target(names: Sequence[str]) -> str:
    """Write the target to unpack value_and_grad into; it returns a single value without a tuple."""
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def tuple_of(names: Sequence[str]) -> str:
    return "(" + ", ".join(names) + ("," if len(names) == 1 else "") + ")"

"""`Text`: a source expression that knows how strongly its operator binds."""

from __future__ import annotations

from dnnbridge.formats.source.expressions import literal

ATOM, NEGATION, PRODUCT, SUM, COMPARISON = range(5)
"""How strongly the outermost operator of an expression binds: the first binds most."""


class Text(str):
    """An expression.

    Attributes:
        binding: of its outermost operator.

    Example:
        >>> total = added(Text("a"), Text("b"))
        >>> multiplied(total, Text("c"))
        '(a + b) * c'
    """

    __slots__ = ("binding",)

    binding: int

    def __new__(cls, source: str, binding: int = ATOM) -> Text:
        made = super().__new__(cls, source)
        made.binding = binding
        return made


def number(value: float) -> Text:
    """Return a number as source."""
    text = literal(value)
    return Text(text, NEGATION if text.startswith("-") else ATOM)


def within(text: str, binding: int) -> str:
    """Return an operand, in parentheses where it binds less than `binding`."""
    return f"({text})" if getattr(text, "binding", ATOM) > binding else text


def added(a: str, b: str) -> Text:
    return Text(f"{within(a, SUM)} + {within(b, SUM)}", SUM)


def subtracted(a: str, b: str) -> Text:
    return Text(f"{within(a, SUM)} - {within(b, PRODUCT)}", SUM)


def multiplied(a: str, b: str) -> Text:
    return Text(f"{within(a, PRODUCT)} * {within(b, NEGATION)}", PRODUCT)


def divided(a: str, b: str) -> Text:
    return Text(f"{within(a, PRODUCT)} / {within(b, NEGATION)}", PRODUCT)


def compared(sign: str, a: str, b: str) -> Text:
    return Text(f"{within(a, SUM)} {sign} {within(b, SUM)}", COMPARISON)


def negative(a: str) -> Text:
    return Text(f"-{within(a, ATOM)}", NEGATION)


def called(function: str, *arguments: object) -> Text:
    """Return a call; arguments that are text are source already."""
    return Text(f"{function}({', '.join(map(_argument, arguments))})")


def _argument(value: object) -> str:
    return value if isinstance(value, str) else literal(value)

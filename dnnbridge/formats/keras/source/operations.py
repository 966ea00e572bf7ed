"""Operations of `keras.ops` as expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dnnbridge.base.messages import snake_case
from dnnbridge.formats.source.expressions import Code, call, literal

OPERATORS = {
    **{"Add": "+", "Subtract": "-", "Multiply": "*", "TrueDivide": "/", "Power": "**"},
    **{"Matmul": "@"},
}

MODULE = "keras.src.ops"
"""Where a file of Keras says that operations are."""


def operation(kind: str, config: Mapping[str, Any], arguments: Sequence[Any]) -> Code:
    """Return the expression of an operation.

    Args:
        kind: Keras' class of it.
        config: its arguments that are no tensors.
        arguments: its tensors as `Code`, and numbers.

    Example:
        >>> print(operation("Subtract", {}, [1.0, Code("x")]))
        1.0 - x
        >>> print(operation("Sum", {"axis": [1], "keepdims": True}, [Code("x")]))
        keras.ops.sum(x, axis=[1], keepdims=True)
    """
    if kind == "GetItem":
        tensor, items = arguments
        return Code(f"{tensor}[{', '.join(map(_item, items))}]")
    if kind in OPERATORS:
        return Code(f" {OPERATORS[kind]} ".join(map(_operand, arguments)))
    named = {name: value for name, value in config.items() if name != "name"}
    return call(f"keras.ops.{snake_case(kind)}", arguments, named)


def _operand(value: Any) -> str:
    text = literal(value)
    return f"({text})" if text.startswith("-") else text


def _item(item: Any) -> str:
    """Return an index in brackets."""
    if not isinstance(item, Mapping):
        return literal(item)
    if item["class_name"] == "__ellipsis__":
        return "..."
    start, stop, step = (item["config"][name] for name in ("start", "stop", "step"))
    ends = ("" if end is None else literal(end) for end in (start, stop))
    return ":".join([*ends, *([] if step is None else [literal(step)])])

"""Products of two arrays whose axes have letters, as in the equations of `EinsumDense`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from dnnbridge import ops
from dnnbridge.errors import SpecError
from dnnbridge.graph import Dim, Value

FORMS = (
    re.compile(r"([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]+)"),
    re.compile(r"\.\.\.([a-zA-Z]+),([a-zA-Z]+)->\.\.\.([a-zA-Z]+)"),
    re.compile(r"([a-zA-Z]{2,})\.\.\.,([a-zA-Z]+)->([a-zA-Z]+)\.\.\."),
)
"""Equations without further axes, with further axes in front, and behind."""

FURTHER = "αβγδεζηθικλμ"
"""Letters of the axes that "..." stands for."""


@dataclass(frozen=True)
class Letters:
    """The axes of an equation, a letter each.

    Attributes:
        x: of the input.
        kernel: of the kernel.
        y: of the result.
        given: those of the result apart from the batch and the axes of "...".
    """

    x: str
    kernel: str
    y: str
    given: str

    @classmethod
    def of(cls, equation: str, rank: int) -> Self:
        """Return the letters for an input of a rank; x has another length if it does not fit."""
        x, kernel, y = operands(equation)
        in_front, behind = equation.startswith("..."), equation.endswith("...")
        further = FURTHER[: max(rank - len(x), 0)] if in_front or behind else ""
        given = y if in_front and further else y[1:]
        if in_front:
            return cls(further + x, kernel, further + y, given)
        return cls(x + further, kernel, y + further, given)

    @property
    def has_batch(self) -> bool:
        """Whether the first axis of the input is that of the result, and none of the kernel."""
        return self.x[0] == self.y[0] and self.x[0] not in self.kernel


def operands(equation: str) -> tuple[str, str, str]:
    """Return the letters of input, kernel and result, without "..."."""
    found = next(filter(None, (form.fullmatch(equation) for form in FORMS)), None)
    x, kernel, y = found.groups() if found else ("", "", "")
    if found is None or any(len(set(letters)) < len(letters) for letters in (x, kernel, y)):
        raise SpecError(
            "expected letters of input, kernel and result, each once in an operand",
            where="equation",
            got=repr(equation),
            hint="Write 'abc,cd->abd', '...x,xy->...y' or 'ab...,bc->ac...', without spaces.",
        )
    if loose := (set(kernel) - set(x) - set(y)) | (set(y) - set(x) - set(kernel)):
        raise SpecError(
            "each letter of the kernel and of the result must be in another operand too",
            where="equation",
            got=f"{', '.join(sorted(loose))} of {equation!r}",
            hint="The first letter of input and result is the batch.",
        )
    return x, kernel, y


def multiplied(x: Value, kernel: Value, letters: Letters) -> Value:
    """Multiply an input with a kernel, as the letters of their axes say.

    The input becomes (batch, kept, both, summed) and the kernel (both, summed, made): the letters
    that only input and result have, that all three have, that are summed over, and that the kernel
    adds. If there are letters in all three, the kernel is repeated for those kept.
    """
    alone = [a for a in letters.x if a not in letters.kernel and a not in letters.y]
    if alone:
        x = ops.reduce_sum(x, tuple(map(letters.x.index, alone)))
    axes = "".join(a for a in letters.x if a not in alone)
    sizes = _sizes(axes, x) | _sizes(letters.kernel, kernel)
    both = [a for a in letters.kernel if a in axes and a in letters.y]
    summed = [a for a in letters.kernel if a not in letters.y]
    made = [a for a in letters.kernel if a not in axes]
    batch, *kept = (a for a in axes if a not in letters.kernel)
    rows = ops.transpose(x, tuple(map(axes.index, [batch, *kept, *both, *summed])))
    matrix = ops.transpose(kernel, tuple(map(letters.kernel.index, [*both, *summed, *made])))
    m, b, k, n = (_product(sizes, each) for each in (kept, both, summed, made))
    if both:
        y = _for_each(ops.reshape(rows, (x.shape[0], m, b, k)), ops.reshape(matrix, (b, k, n)))
    else:
        y = ops.reshape(rows, (x.shape[0], m, k)) @ ops.reshape(matrix, (k, n))
    now = [batch, *kept, *both, *made]
    return ops.transpose(
        ops.reshape(y, tuple(sizes[a] for a in now)), tuple(map(now.index, letters.y))
    )


def _for_each(x: Value, kernel: Value) -> Value:
    """Multiply (batch, m, b, k) by a matrix (k, n) for each of b."""
    rows = ops.transpose(x, (1, 2, 0, 3))
    y = ops.batch_matmul(rows, ops.broadcast_to(kernel, (x.shape[1], *kernel.shape)))
    return ops.transpose(y, (2, 0, 1, 3))


def _sizes(letters: str, x: Value) -> dict[str, Dim]:
    return dict(zip(letters, x.shape, strict=True))


def _product(sizes: Mapping[str, Dim], letters: Iterable[str]) -> int:
    return math.prod(sizes[a] or 0 for a in letters)

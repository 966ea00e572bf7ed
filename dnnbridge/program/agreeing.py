"""`agreement_program`: what several workers ask for, summed over all of them."""

from __future__ import annotations

from functools import lru_cache

from dnnbridge.graph import Builder, TensorType
from dnnbridge.ops.across import all_reduce_sum
from dnnbridge.program.program import Function, Program

AGREE, ASKED, TOTAL = "agree", "asked", "total"
"""Names of the function, of its feed and of its result."""


@lru_cache(maxsize=4)
def agreement_program(size: int) -> Program:
    """Return a program that sums so many numbers over all workers.

    Example:
        >>> list(agreement_program(2).functions)
        ['agree']
    """
    builder = Builder(AGREE)
    asked = builder.input(ASKED, TensorType((size,), "float32"))
    graph = builder.graph([all_reduce_sum(asked)])
    return Program({AGREE: Function(graph, {}, (TOTAL,), divided=True)})

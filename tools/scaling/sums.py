"""`sum_program`: a program that does nothing but sum numbers over all workers."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.emit.scope import StateArray
from dnnbridge.graph import Builder, TensorType
from dnnbridge.initializers import Ones
from dnnbridge.ops.across import all_reduce_sum
from dnnbridge.program.program import Function, Program

SUM, NUMBERS, FACTOR = "sum", "numbers", "factor"
"""Names of the function, of the array that it sums, and of its feed."""


def sum_program(size: int, shared: bool = True) -> Program:
    """Return a program whose step replaces an array by its sum over all workers, times a factor.

    Args:
        size: how many numbers.
        shared: False for the rest of the step without the sum, whose time is to be subtracted.

    Example:
        >>> list(sum_program(8).functions)
        ['sum']
    """
    builder, array = Builder(SUM), StateArray(NUMBERS, (size,), Ones(), trainable=False)
    numbers = builder.input(NUMBERS, array.type)
    factor = builder.input(FACTOR, TensorType(()))
    made = (all_reduce_sum(numbers) if shared else numbers) * factor
    graph = builder.graph([ops.slice(made, (0,), (1,)), made])
    function = Function(graph, {numbers: NUMBERS}, ("first",), (NUMBERS,), divided=shared)
    return Program({SUM: function}, {NUMBERS: array})

"""`check_memory`: whether the arrays of a program fit into the memory of the machine."""

from __future__ import annotations

import math
import os

from dnnbridge.errors import SpecError
from dnnbridge.program.program import Program

NUMBER, DRAWN = 4, 8
"""Bytes of a number in float32, and in float64, in which each array is drawn."""


def check_memory(program: Program, memory: int | None = None) -> None:
    """Raise if weights, buffers and the optimizer's arrays do not fit into memory.

    Args:
        program: of an experiment; nothing is made of it yet.
        memory: bytes; by default those of the machine.

    Raises:
        SpecError: they do not fit.

    Example:
        >>> import dnnbridge as db
        >>> model = db.Sequential([db.Input((1000,)), db.Dense(1000)])
        >>> program = db.Experiment(model, "mse", db.Adam()).program()
        >>> check_memory(program, 2**20)
        Traceback (most recent call last):
        dnnbridge.errors.SpecError: dense/kernel: the arrays of the model do not fit, ...
    """
    memory = _of_the_machine() if memory is None else memory
    sizes = {name: NUMBER * math.prod(array.shape) for name, array in program.state.items()}
    largest = max(sizes, key=lambda name: sizes[name], default="")
    total = sum(sizes.values()) + sizes.get(largest, 0) * DRAWN // NUMBER
    if memory is not None and total > memory:
        there = f"{total / 1e9:.3g} GB with the optimizer's, and {memory / 1e9:.3g} GB of memory"
        raise SpecError(
            "the arrays of the model do not fit",
            where=largest,
            got=there,
            hint="Make this layer smaller.",
        )


def _of_the_machine() -> int | None:
    """Return the bytes of memory; None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return None

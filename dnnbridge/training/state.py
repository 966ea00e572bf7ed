"""Arrays of a run: how they start, and what may be put in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dnnbridge import randomness
from dnnbridge.arrays import Array
from dnnbridge.errors import DataError, DTypeError
from dnnbridge.program import Program
from dnnbridge.wording import close_match, what


def initial_state(program: Program, seed: int) -> dict[str, Array]:
    """Return the arrays of a new run, drawn in float64 and rounded to float32."""
    return {
        name: array.initializer.sample(
            randomness.generator(seed, "initial", name), array.shape
        ).astype(np.float32)
        for name, array in program.state.items()
    }


def checked_arrays(
    values: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]], where: str
) -> dict[str, Array]:
    """Return the values as arrays of the shapes of their names, or raise."""
    if not isinstance(values, Mapping):
        raise DTypeError(
            "needs arrays by their names",
            where=where,
            got=what(values),
            hint="Give a dictionary such as {'dense/kernel': array}.",
        )
    checked = {}
    for name, value in values.items():
        if name not in shapes:
            raise DataError(
                "unknown name", where=where, got=repr(name), hint=close_match(name, shapes)
            )
        array = np.array(value)
        if not np.issubdtype(array.dtype, np.floating):
            raise DTypeError(
                "needs floating-point values", where=f"{where}[{name!r}]", got=str(array.dtype)
            )
        if array.shape != shapes[name]:
            raise DataError(
                f"needs shape {shapes[name]}",
                where=f"{where}[{name!r}]",
                got=f"shape {array.shape}",
                hint="Kernels are (in, out).",
            )
        checked[name] = array
    return checked

"""Cases of `Where`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from dnnbridge import layers
from dnnbridge.base.arrays import Array
from dnnbridge.testing.cases.equation_case import EquationCase, normal


def _chosen(numbers: tuple[float | None, ...], arrays: Mapping[str, Array]) -> Array:
    given = iter([arrays[f"input_{i}"] for i in range(1, 1 + numbers.count(None))])
    x1, x2 = (next(given) if number is None else np.array(number) for number in numbers)
    return np.where(arrays["input_0"] > 0.5, x1, x2)


def _choices() -> list[EquationCase]:
    """Two inputs, one input and a number, and two numbers, of which a condition takes one."""
    x, y = normal(3, 4, 5), normal(3, 1, 5)
    condition = (x > 0.2) * 1.0
    made: list[tuple[str, tuple[float | None, float | None], tuple[Array, ...]]] = [
        ("each", (None, None), (condition, x, y)),
        ("first", (2.5, None), (condition[:, :, :1], x)),
        ("second", (None, -1.5), (condition, y)),
        ("numbers", (1.0, -3.0), (condition,)),
    ]
    return [
        EquationCase(
            f"Where-{id}",
            layers.Where(*numbers),
            given,
            gradient=id != "numbers",
            witness=partial(_chosen, numbers),
        )
        for id, numbers, given in made
    ]


CHOICE_CASES = _choices()

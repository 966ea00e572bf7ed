"""One comparison: a name that both have, built with the same arguments, and numbers of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Pairs = Mapping[str, tuple[Any, Any]]
"""What Keras and what we give, by what it is."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A name, and what is compared.

    Attributes:
        family: of the name, as our registry calls it.
        name: ours.
        keras: theirs, below `keras`.
        says: arguments, or what is special.
        measure: takes the module `keras` and returns numbers of both.
        because: why the numbers differ on purpose; empty where they are equal.
        tolerance: of |theirs - ours| / (1 + |ours|).
    """

    family: str
    name: str
    keras: str
    measure: Callable[[Any], Pairs]
    says: str = ""
    because: str = ""
    tolerance: float = 4e-6

    @property
    def id(self) -> str:
        return f"{self.family}.{self.name}" + (f"({self.says})" if self.says else "")


SEEN = 25.0
"""A deliberate difference is at least so many tolerances large."""


def distance(theirs: Any, ours: Any) -> float:
    """Return the largest |theirs - ours| / (1 + |ours|); infinite where shapes or NaN differ."""
    a, b = np.asarray(theirs, float), np.asarray(ours, float)
    if a.shape != b.shape or (np.isfinite(a) != np.isfinite(b)).any():
        return float("inf")
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        apart = np.where(same, 0.0, np.abs(a - b) / (1.0 + np.abs(b)))
    return float(apart.max(initial=0.0))


def text_of(arguments: Mapping[str, Any]) -> str:
    """Write arguments as they stand in a call."""
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())

"""One comparison: a shared name, built with the same arguments, and the numbers of both sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Pairs = Mapping[str, tuple[Any, Any]]
"""Results of Keras and of dnnbridge, by the name of the result."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A shared name and its comparison.

    Attributes:
        family: family of the name in our registry.
        name: our name.
        keras: their name, below `keras`.
        says: arguments, or the special case that is compared.
        measure: takes the module `keras` and returns the numbers of both.
        because: why the numbers differ on purpose; empty if they are equal.
        tolerance: tolerance of |theirs - ours| / (1 + |ours|).
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
"""A deliberate difference must be at least this many tolerances."""


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
    """Write arguments as in a call."""
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())

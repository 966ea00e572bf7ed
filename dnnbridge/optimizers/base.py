"""What an optimizer is: one update equation per parameter, and numbers that depend on the step."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

from dnnbridge.graph import Value
from dnnbridge.initializers import AbstractInitializer, Zeros
from dnnbridge.specification import Spec


class Slot(NamedTuple):
    """An array that an optimizer keeps for a parameter: its shape and how it starts."""

    shape: tuple[int, ...]
    initializer: AbstractInitializer = Zeros()


Slots = Mapping[str, Value]
"""The arrays of `slots`, by name."""

Scalars = Mapping[str, Value]
"""Rank-0 values that `scalars` computed on the host."""


class AbstractOptimizer(Spec):
    """Base of optimizers. A subclass defines `slots`, `scalars` and `update`.

    Everything that depends only on the step and on hyper-parameters belongs in `scalars`, where
    it is computed in float64 and fed to the compiled step: exact, and never a new compilation.
    """

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        """Return the arrays kept for a parameter of this shape."""
        return {}

    @property
    def average(self) -> str | None:
        """Name of the slot that holds averaged weights, which `Run.averages` returns."""
        return None

    @abstractmethod
    def scalars(self, step: int) -> dict[str, float]:
        """Return the host scalars of the update number `step`, counted from 0."""

    @abstractmethod
    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        """Write the update of one parameter `p` with gradient `g`: the new `p` and slots."""

"""What an optimizer is: one update equation per parameter, and numbers that depend on the step."""

from __future__ import annotations

from collections.abc import Mapping

from dnnbridge.graph import Value
from dnnbridge.specification import Spec

Slots = Mapping[str, Value]
"""Arrays that an optimizer keeps per parameter, of the parameter's shape, zero at the start."""

Scalars = Mapping[str, Value]
"""Rank-0 values that `scalars` computed on the host."""


class AbstractOptimizer(Spec):
    """Base of optimizers. A subclass defines `slots`, `scalars` and `update`.

    Everything that depends only on the step and on hyper-parameters belongs in `scalars`, where
    it is computed in float64 and fed to the compiled step: exact, and never a new compilation.
    """

    def slots(self) -> tuple[str, ...]:
        """Return the names of the arrays kept per parameter."""
        return ()

    def scalars(self, step: int) -> dict[str, float]:
        """Return the host scalars of the update number `step`, counted from 0."""
        raise NotImplementedError

    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        """Write the update of one parameter `p` with gradient `g`: the new `p` and slots."""
        raise NotImplementedError

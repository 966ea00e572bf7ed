"""A healthy backend of float32: the reference, whose every operation is computed in float32."""

from __future__ import annotations

import numpy as np

from dnnbridge.reference.backend import ReferenceBackend
from dnnbridge.reference.interpreter import RULES
from dnnbridge.reference.rules import Rule
from sabotage.executables import WithRules, Wrapped


def single(array):
    """Round real numbers to float32."""
    return array.astype(np.float32) if getattr(array, "dtype", None) == np.float64 else array


def in_float32(rule: Rule) -> Rule:
    """Compute value and derivatives in float32."""

    def forward(op, *xs):
        return single(np.asarray(rule.forward(op, *map(single, xs))))

    def vjp(op, xs, y, dy):
        shares = rule.vjp(op, tuple(map(single, xs)), single(y), single(dy))
        return tuple(None if each is None else single(np.asarray(each)) for each in shares)

    return Rule(forward, vjp)


class State32(Wrapped):
    """Keeps its arrays in float32."""

    def write(self, values):
        self.inner.write({name: np.float32(array) for name, array in values.items()})


class RoundedBackend(ReferenceBackend):
    """NumPy in float32."""

    def compile(self, program, device):
        rules = {op: in_float32(rule) for op, rule in RULES.items()}
        return State32(WithRules(super().compile(program, device), program, rules), program)

"""A correct float32 backend: the reference with every operation computed in float32."""

from __future__ import annotations

import numpy as np

from dnnbridge import ops
from dnnbridge.ops import RULES
from dnnbridge.ops.rule import Rule
from dnnbridge.reference.backend import ReferenceBackend, ReferenceExecutable
from sabotage.executables import Wrapped

BROADCASTING = {
    *(ops.Add, ops.Sub, ops.Mul, ops.Div, ops.Maximum, ops.Minimum, ops.Select),
}


def single(array):
    """Round real numbers to float32."""
    return array.astype(np.float32) if getattr(array, "dtype", None) == np.float64 else array


def summed(array, axes):
    """Sum one axis after the other, because over several axes at once NumPy adds row by row.

    The sum of a third over (32, 32, 32) is then 2.4e-5 off, and no backend sums like that.
    """
    for axis in sorted(axes, reverse=True):
        array = array.sum(axis, keepdims=True, dtype=array.dtype)
    return array


def unbroadcast(share, shape):
    """Sum over the axes along which an operand was broadcast."""
    extra = share.ndim - len(shape)
    whole = (1,) * extra + shape
    stretched = [i for i, (a, b) in enumerate(zip(whole, share.shape, strict=True)) if a != b]
    return summed(share, {*range(extra), *stretched}).reshape(shape)


def in_float32(cls: type, rule: Rule) -> Rule:
    """Compute value and derivatives in float32."""

    def forward(op, *xs):
        if cls in (ops.ReduceSum, ops.ReduceMean) and xs[0].size:
            kept = summed(single(xs[0]), op.axes)
            if cls is ops.ReduceMean:
                kept = kept / np.float32(xs[0].size / kept.size)
            return kept if op.keepdims else kept.squeeze(op.axes)
        return single(np.asarray(rule.forward(op, *map(single, xs))))

    def vjp(op, xs, y, dy):
        whole = xs
        if cls in BROADCASTING:
            whole = tuple(np.broadcast_to(x, y.shape) for x in xs)
        shares = rule.vjp(op, tuple(map(single, whole)), single(y), single(dy))
        made = [None if each is None else single(np.asarray(each)) for each in shares]
        if cls in BROADCASTING:
            made = [
                m if m is None else unbroadcast(m, x.shape) for m, x in zip(made, xs, strict=True)
            ]
        return tuple(made)

    return Rule(forward, vjp)


class State32(Wrapped):
    """Keeps its arrays in float32."""

    def write(self, values):
        self.inner.write({name: np.float32(array) for name, array in values.items()})


class RoundedBackend(ReferenceBackend):
    """NumPy in float32."""

    def compile(self, program, device):
        rules = {op: in_float32(op, rule) for op, rule in RULES.items()}
        return State32(ReferenceExecutable(program, rules=rules), program)

"""Cases of loops inside a step: equations that use `scope.scan`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.initializers import Zeros
from dnnbridge.testing.cases.equation_case import EquationCase, normal

Values = tuple[Value, ...]


@dataclass(frozen=True)
class Written:
    """An emitter made from a function."""

    write: Callable[..., Value]

    @property
    def emit(self) -> Callable[..., Value]:
        return self.write


def _running_sum(scope: Scope, start: Value, x: Value) -> Value:
    """One carry, one sequence, no captured value. Returns the stacked results."""

    def step(scope: Scope, carries: Values, slices: Values) -> tuple[Values, Values]:
        total = carries[0] * 0.5 + slices[0]
        return (total,), (total,)

    _, (totals,) = scope.scan(step, [start], [_time_first(x)], _steps(x))
    return ops.transpose(totals, (1, 0, 2))


def _last(scope: Scope, start: Value, x: Value) -> Value:
    """Two carries, a captured parameter and a captured outer value. Returns the last carries."""
    w = scope.parameter("w", (start.shape[-1], start.shape[-1]), Zeros())

    def step(scope: Scope, carries: Values, slices: Values) -> tuple[Values, Values]:
        a, b = carries
        return (ops.tanh(a @ w + slices[0] + start), a * b), ()

    (a, b), _ = scope.scan(step, [start, start * 2.0], [_time_first(x)], _steps(x))
    return a + b


def _without_carries(scope: Scope, x: Value) -> Value:
    """No carry: each step is independent."""

    def step(scope: Scope, carries: Values, slices: Values) -> tuple[Values, Values]:
        return (), (ops.softmax(slices[0]),)

    _, (y,) = scope.scan(step, [], [_time_first(x)], _steps(x))
    return ops.transpose(y, (1, 0, 2))


def _without_sequences(scope: Scope, x: Value) -> Value:
    """No sequence: Newton's iteration of a square root, with a constant result beside it."""

    def step(scope: Scope, carries: Values, slices: Values) -> tuple[Values, Values]:
        y = 0.5 * (carries[0] + x / carries[0])
        return (y,), (ops.abs(y), y * 0.0)

    (y,), (all_y, zero) = scope.scan(step, [1.0 + x * 0.0], [], 7)
    return y + ops.reduce_mean(all_y + zero, 0)


def _integers(scope: Scope, x: Value, index: Value) -> Value:
    """An integer sequence and a captured integer value."""
    length = _steps(index)

    def step(scope: Scope, carries: Values, slices: Values) -> tuple[Values, Values]:
        here = ops.one_hot(slices[0], 4) * carries[0] + ops.one_hot(first, 4)
        return (carries[0] * 0.9 + here,), (here,)

    first = ops.reshape(ops.slice(index, (0, 0), (None, 1)), (None,))
    (y,), (made,) = scope.scan(step, [x], [ops.transpose(index, (1, 0))], length)
    return y * ops.reduce_sum(made, 0)


def _nested(scope: Scope, x: Value) -> Value:
    """A loop in a loop; the inner one uses the carry of the outer one."""

    def inner(scope: Scope, carries: Values, slices: Values) -> tuple[Values, Values]:
        return (ops.sigmoid(carries[0] + slices[0]),), ()

    def step(scope: Scope, carries: Values, slices: Values) -> tuple[Values, Values]:
        (y,), _ = scope.scan(inner, [slices[0] * carries[0]], [_time_first(x)], _steps(x))
        return (y,), (y,)

    start = ops.reduce_mean(x, 1)
    _, (y,) = scope.scan(step, [start], [_time_first(x)], _steps(x))
    return ops.transpose(y, (1, 0, 2))


def _smooth(scope: Scope, x: Value) -> Value:
    """The operations of recurrent layers, all in one step."""
    w = scope.parameter("w", (6, 6), Zeros())

    def step(scope: Scope, carries: Values, slices: Values) -> tuple[Values, Values]:
        z = carries[0] @ w + slices[0]
        a, b = (ops.slice(z, (0, start), (None, 3)) for start in (0, 3))
        c = ops.sigmoid(a) * ops.tanh(b)
        d = ops.where(a > b, ops.exp(-ops.square(a)), ops.log(1.0 + ops.abs(b)))
        return (ops.where(slices[0] > -1.0, z, carries[0]),), (c + d,)

    _, (y,) = scope.scan(step, [ops.reduce_mean(x, 1)], [_time_first(x)], _steps(x))
    return ops.transpose(y, (1, 0, 2))


def _time_first(x: Value) -> Value:
    return ops.transpose(x, (1, 0, *range(2, x.rank)))


def _steps(x: Value) -> int:
    assert x.shape[1] is not None
    return x.shape[1]


_INDEX = np.array([[0, 1, 3], [2, 2, 0]])

SCAN_CASES: list[EquationCase] = [
    EquationCase("scan-sum", Written(_running_sum), (normal(3, 4), normal(3, 9, 4)), reduced=9),
    EquationCase("scan-one_step", Written(_running_sum), (normal(3, 4), normal(3, 1, 4))),
    EquationCase("scan-last", Written(_last), (normal(3, 4), normal(3, 6, 4)), reduced=24),
    EquationCase("scan-no_carries", Written(_without_carries), (normal(2, 5, 3),), reduced=3),
    EquationCase("scan-no_sequences", Written(_without_sequences), (normal(4, 3) ** 2 + 0.1,)),
    EquationCase("scan-integers", Written(_integers), (normal(2, 4), _INDEX), reduced=3),
    EquationCase("scan-nested", Written(_nested), (normal(2, 4, 3),), reduced=16),
    EquationCase("scan-smooth", Written(_smooth), (0.5 * normal(2, 4, 6),), reduced=24),
    EquationCase(
        "scan-no_gradient",
        Written(_running_sum),
        (normal(3, 4), normal(3, 9, 4)),
        gradient=False,
        reduced=9,
    ),
    EquationCase("scan-long", Written(_running_sum), (normal(2, 3), normal(2, 500, 3)), reduced=9),
]

"""The reference is the definition, so its derivatives are checked by finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from dnnbridge import ops
from dnnbridge.ops import RULES
from dnnbridge.testing.cases.op_cases import OP_CASES
from dnnbridge.testing.harness import rounded
from dnnbridge.testing.kinks import CROSSINGS

STEP = 1e-6


def arrays_of(case):
    """Return the inputs of a case, rounded as for backends, in float64."""
    named = rounded({str(i): np.asarray(array) for i, array in enumerate(case.inputs)})
    return [a.astype(float) if a.dtype.kind == "f" else a for a in named.values()]


def central_difference(case, arrays, i, weights):
    """Differentiate Σ weights · f numerically by the input number i."""
    gradient = np.zeros(arrays[i].shape)
    forward = RULES[type(case.op)].forward
    for index in np.ndindex(arrays[i].shape):
        values = []
        step = STEP * max(1.0, abs(arrays[i][index]))
        for sign in (1, -1):
            moved = [array.copy() for array in arrays]
            moved[i][index] += sign * step
            found = forward(case.op, *moved)
            values.append(np.where(np.isfinite(found), found, 0.0))  # constants such as -inf
        gradient[index] = (weights * (values[0] - values[1])).sum() / (2 * step)
    return gradient


def _moderate(array) -> bool:
    """Return whether all elements are finite, and none is tiny except 0."""
    return bool((np.isfinite(array) & ((array == 0) | (np.abs(array) > 1e-6))).all())


FINITE_CASES = [case for case in OP_CASES if case.gradient and all(map(_moderate, case.inputs))]


@pytest.mark.parametrize("case", FINITE_CASES, ids=lambda case: case.id)
def test_vjp_is_the_derivative(case):
    arrays = arrays_of(case)
    if isinstance(case.op, ops.Log):
        arrays = [arrays[0][(arrays[0] > 1e-3) & (arrays[0] < 1e6)]]
    rule = RULES[type(case.op)]
    output = rule.forward(case.op, *arrays)
    weights = np.random.default_rng(0).normal(size=output.shape)
    cotangents = rule.vjp(case.op, tuple(arrays), output, weights)
    for i, cotangent in enumerate(cotangents):
        if cotangent is None or arrays[i].dtype.kind != "f":
            continue
        expected = central_difference(case, arrays, i, weights)
        smooth = np.ones(expected.shape, bool)
        if case.op.kinked:
            smooth = away_from_kinks(case, arrays, i)
        error = np.abs(cotangent - expected) / (1 + np.abs(expected))
        assert error[smooth].max(initial=0.0) < 1e-6, (i, error.max())
        assert smooth.any() or case.id.endswith("ties")


def away_from_kinks(case, arrays, i):
    """Return where the derivatives from the left and from the right are equal."""
    rng = np.random.default_rng(1)
    weights = rng.normal(size=RULES[type(case.op)].forward(case.op, *arrays).shape)
    forward = RULES[type(case.op)].forward
    smooth = np.ones(arrays[i].shape, bool)
    for index in np.ndindex(arrays[i].shape):
        sides = []
        for sign in (1, -1):
            moved = [array.copy() for array in arrays]
            moved[i][index] += sign * 1e-5
            change = (weights * (forward(case.op, *moved) - forward(case.op, *arrays))).sum()
            sides.append(sign * change / 1e-5)
        smooth[index] = abs(sides[0] - sides[1]) < 1e-2 and abs(sides[0]) < 1e3  # no jump
    return smooth


KINKS = [
    (ops.Relu(), [np.zeros(1)], [0.0]),
    (ops.Abs(), [np.zeros(1)], [0.0]),
    (ops.Maximum(), [np.ones(1), np.ones(1)], [1.0, 0.0]),
    (ops.Minimum(), [np.ones(1), np.ones(1)], [1.0, 0.0]),
    (ops.Clip(0.0, 1.0), [np.ones(1)], [1.0]),
    (ops.Clip(0.0, 1.0), [np.zeros(1)], [1.0]),
    (ops.Clip(0.0, 1.0), [np.full(1, 1.5)], [0.0]),
]


@pytest.mark.parametrize(("op", "inputs", "expected"), KINKS, ids=lambda v: str(v)[:24])
def test_derivative_at_kinks_is_as_documented(op, inputs, expected):
    rule = RULES[type(op)]
    output = rule.forward(op, *inputs)
    found = rule.vjp(op, tuple(inputs), output, np.ones_like(output))
    assert [float(value[0]) for value in found] == expected


def test_textbook_softmax():
    found = RULES[ops.Softmax].forward(ops.Softmax(0), np.array([1.0, 2.0, 5.0, 3.0]))
    assert found.round(2).tolist() == [0.02, 0.04, 0.83, 0.11]


def test_the_suite_knows_every_kink():
    assert {op for op in ops.PRIMITIVES if op.kinked} == set(CROSSINGS)


def _rounds(case) -> bool:
    """Return whether some result of float32 operands is not a float32 number."""
    arrays = arrays_of(case)
    if any(a.dtype.kind == "i" and (np.abs(a.astype(float)) > 2**24).any() for a in arrays):
        return False
    with np.errstate(all="ignore"):
        found = np.asarray(RULES[type(case.op)].forward(case.op, *arrays))
        return not np.array_equal(found, found.astype(np.float32), equal_nan=True)


def test_operations_say_whether_they_round():
    assert {type(c.op) for c in OP_CASES if _rounds(c)} == {o for o in ops.PRIMITIVES if o.rounds}


def test_what_moves_numbers_rounds_none():
    assert not [op for op in ops.PRIMITIVES if op.moves and op.rounds]

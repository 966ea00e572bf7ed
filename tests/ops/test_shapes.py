"""Type rules of the operations that pad, cut, widen and choose; constants; distributions."""

from __future__ import annotations

import numpy as np
import pytest

from dnnbridge import ops
from dnnbridge.base import randomness
from dnnbridge.errors import DTypeError, ShapeError
from dnnbridge.graph import BATCH, Builder, ConstantArray, TensorType

X = TensorType((BATCH, 4, 3))
INDICES = TensorType((BATCH, 5), "int32")

ACCEPTED = [
    (ops.Pad(((0, 0), (1, 0), (0, 2))), (X,), (BATCH, 5, 5)),
    (ops.Slice((0, 1, 2), (BATCH, 3, 1)), (X,), (BATCH, 3, 1)),
    (ops.BroadcastTo((BATCH, 4, 3)), (TensorType((BATCH, 1, 3)),), (BATCH, 4, 3)),
    (ops.BroadcastTo((2, 7)), (TensorType((7,)),), (2, 7)),
    (ops.Take(), (TensorType((9, 2)), INDICES), (BATCH, 5, 2)),
    (ops.BatchMatMul(), (X, TensorType((BATCH, 3, 6))), (BATCH, 4, 6)),
]

REFUSED = [
    (ops.Pad(((1, 0), (0, 0), (0, 0))), (X,)),
    (ops.Pad(((0, 0), (0, -1), (0, 0))), (X,)),
    (ops.Pad(((0, 0),)), (X,)),
    (ops.Slice((0, 0, 0), (2, 4, 3)), (X,)),
    (ops.Slice((1, 0, 0), (BATCH, 4, 3)), (X,)),
    (ops.Slice((0, 2, 0), (BATCH, 3, 3)), (X,)),
    (ops.Slice((0, 0, 0), (BATCH, 0, 3)), (X,)),
    (ops.Slice((0, -1, 0), (BATCH, 1, 3)), (X,)),
    (ops.BroadcastTo((BATCH, 7)), (TensorType((7,)),)),
    (ops.BroadcastTo((4, 1)), (TensorType((4, 3)),)),
    (ops.BroadcastTo((3,)), (TensorType((4, 3)),)),
    (ops.Take(), (TensorType((BATCH, 2)), INDICES)),
    (ops.BatchMatMul(), (X, TensorType((3, 6)))),
    (ops.BatchMatMul(), (X, TensorType((2, 3, 6)))),
    (ops.BatchMatMul(), (X, TensorType((BATCH, 4, 6)))),
]


@pytest.mark.parametrize(("op", "types", "shape"), ACCEPTED, ids=lambda v: str(v)[:40])
def test_shape_of_the_result(op, types, shape):
    assert op.infer(*types).shape == shape


@pytest.mark.parametrize(("op", "types"), REFUSED, ids=lambda v: str(v)[:40])
def test_what_does_not_fit_is_refused(op, types):
    with pytest.raises(ShapeError):
        op.infer(*types)


def test_indices_are_whole_numbers():
    with pytest.raises(DTypeError, match="Take takes int32"):
        ops.Take().infer(TensorType((9, 2)), X)


def test_constant_arrays_are_equal_by_value():
    given = np.array([[0.1, 0.2]])
    one, same = ConstantArray.of(given), ConstantArray.of(given.copy())
    assert one == same
    assert hash(one) == hash(same)
    assert one != ConstantArray.of(given.T)
    assert one != ConstantArray.of(given + 1e-12)
    given[0, 0] = 7.0
    np.testing.assert_array_equal(one.array, [[0.1, 0.2]])


@pytest.mark.parametrize(
    ("given", "dtype"), [([1, 2], "int32"), ([True], "bool"), (np.float32([0.5]), "float32")]
)
def test_constant_arrays_keep_their_kind(given, dtype):
    value = Builder("graph").constant(given)
    assert value.dtype == dtype
    assert value.shape == np.shape(given)


@pytest.mark.parametrize("given", [np.array([2**31]), np.array(["a"]), np.array([1j])])
def test_other_constants_are_refused(given):
    with pytest.raises(DTypeError, match="constant"):
        Builder("graph").constant(given)


def test_normal_numbers_are_standard():
    rng = randomness.generator(0, "normal")
    drawn = randomness.Normal().sample(rng, (200, 100))
    assert drawn.dtype == np.float32
    assert abs(drawn.mean()) < 0.03
    assert abs(drawn.std() - 1.0) < 0.03

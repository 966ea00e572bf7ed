"""The tolerance of TF32 is what rounding the factors of products costs, and the suite notices."""

from __future__ import annotations

import numpy as np
import pytest

from dnnbridge import ops
from dnnbridge.reference.backend import ReferenceBackend
from dnnbridge.testing.cases.op_cases import OP_CASES
from dnnbridge.testing.harness import build_case
from dnnbridge.testing.tolerances import elementwise, tf32

PRODUCTS = (ops.MatMul, ops.BatchMatMul, ops.Conv, ops.ConvTranspose)

CASES = [case for case in OP_CASES if isinstance(case.op, PRODUCTS) and "ends" not in case.id]


def to_tf32(array):
    """Round to 10 bits after the point, to the nearest even."""
    bits = np.array(array, np.float32, ndmin=1).view(np.uint32).astype(np.uint64)
    bits = (bits + 0xFFF + ((bits >> 13) & 1)) & 0xFFFFE000
    return bits.astype(np.uint32).view(np.float32).reshape(np.shape(array))


def test_rounds_to_ten_bits():
    assert to_tf32(1 + 2.0**-10) == 1 + 2.0**-10
    assert to_tf32(1 + 2.0**-11) == 1
    assert to_tf32(-1 - 3 * 2.0**-11) == -1 - 2 * 2.0**-10


def error_of(case):
    """Return the largest error of the value with factors in TF32, relative to 1 + |x|."""
    built = build_case(case)
    expected = built.run(ReferenceBackend())["value"]
    feeds = {n: to_tf32(a) if n.startswith("input_") else a for n, a in built.feeds.items()}
    made = type(built)(built.program, feeds).run(ReferenceBackend())["value"]
    return float(np.max(np.abs(made - expected) / (1 + np.abs(expected))))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_product_in_tf32_is_within_its_tolerance(case):
    assert error_of(case) <= tf32(case.reduced)


def test_the_suite_finds_tf32():
    large = [case for case in CASES if error_of(case) > elementwise(case.reduced)]
    assert len(large) > 0.9 * len(CASES)

"""Cases with their own witness: an independent implementation in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.witnesses import witness

from dnnbridge.backend.plugins import load_backend
from dnnbridge.testing.cases.equation_cases import EQUATION_CASES
from dnnbridge.testing.cases.optimizer_cases import OPTIMIZER_CASES
from dnnbridge.testing.harness import build_case, trajectory

EQUATIONS = [case for case in EQUATION_CASES if case.witness]
UPDATES = [case for case in OPTIMIZER_CASES if case.witness]


@witness("NumPy", *(type(case.subject) for case in EQUATIONS))
@pytest.mark.parametrize("case", EQUATIONS, ids=lambda case: case.id)
def test_an_equation_is_what_its_witness_computes(case):
    built = build_case(case)
    arrays = {name: np.asarray(array, float) for name, array in built.feeds.items()}
    found = built.run(load_backend("reference"))["value"]
    np.testing.assert_allclose(found, case.witness(arrays), rtol=1e-12, atol=1e-300)


@witness("NumPy", *(type(case.optimizer) for case in UPDATES))
@pytest.mark.parametrize("case", UPDATES, ids=lambda case: case.id)
def test_an_update_is_what_its_witness_computes(case):
    found = trajectory(load_backend("reference"), case.optimizer, case.start, case.gradients)
    wanted = case.witness(case.start.astype(float), case.gradients.astype(float))
    np.testing.assert_allclose(found["p"], wanted, rtol=1e-10, atol=1e-300)

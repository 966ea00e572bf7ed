"""Independent witnesses where no native class runs: algorithms of papers, in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.witnesses import witness

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.testing.assertions import assert_near
from dnnbridge.testing.cases.optimizer_cases import CHANGING, OPTIMIZER_CASES
from dnnbridge.testing.harness import trajectory
from dnnbridge.testing.measurement import relative_distance

STEPS = 60
CASE = OPTIMIZER_CASES[0]
START, GRADIENTS = CASE.start, CASE.gradients[:STEPS]
RATES = CHANGING.values(STEPS)
norm = np.linalg.norm


def lamb(b1, b2, epsilon, decay):
    """Algorithm 2 of You et al. (2020), φ(x) = x."""
    x, m, v = START.astype(float), 0.0, 0.0
    for t, (rate, g) in enumerate(zip(RATES, GRADIENTS.astype(float), strict=True), 1):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        r = (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + epsilon)
        x = x - rate * norm(x) / norm(r + decay * x) * (r + decay * x)
    return x


def lars(momentum, trust, decay, epsilon=0.0, rate_outside=False, clip=False):
    """Algorithm 1 of You et al. (2017); mindspore.nn.LARS around SGD has the rate outside."""
    w, v = START.astype(float), 0.0
    for rate, g in zip(RATES, GRADIENTS.astype(float), strict=True):
        local = trust * norm(w) / (norm(g) + decay * norm(w) + epsilon)
        local = min(local / rate, 1.0) if clip else local
        if rate_outside:
            v = momentum * v + local * (g + decay * w)
            w = w - rate * v
        else:
            v = momentum * v + rate * local * (g + decay * w)
            w = w - v
    return w


def ftrl(alpha, beta, l1, l2, dtype=np.float64):
    """Algorithm 1 of McMahan et al. (2013), n started at 0.1; L2 of the paper is 2 λ₂ here."""
    w, z = START.astype(dtype), np.zeros_like(START, dtype)
    n = np.full_like(z, 0.1)
    for g in GRADIENTS.astype(dtype):
        sigma = (np.sqrt(n + g * g) - np.sqrt(n)) / dtype(alpha)
        z = z + g - sigma * w
        n = n + g * g
        divisor = (dtype(beta) + np.sqrt(n)) / dtype(alpha) + dtype(l2)
        w = np.where(np.abs(z) <= l1, dtype(0), -(z - np.sign(z) * dtype(l1)) / divisor)
    return w


def lookahead(k, alpha, momentum):
    """Algorithm 1 of Zhang et al. (2019), around SGD with momentum, whose velocity goes on."""
    slow = fast = START.astype(float)
    v = 0.0
    for step, (rate, g) in enumerate(zip(RATES, GRADIENTS.astype(float), strict=True), 1):
        v = momentum * v + g
        fast = fast - rate * v
        if step % k == 0:
            slow = slow + alpha * (fast - slow)
            fast = slow
    return fast


PAPERS = {
    "lamb": (db.Lamb(CHANGING, 0.9, 0.999, 1e-6), lambda: lamb(0.9, 0.999, 1e-6, 0.0)),
    "lamb-decay": (
        db.Lamb.mindspore(CHANGING, 0.8, 0.99, weight_decay=0.1),
        lambda: lamb(0.8, 0.99, 1e-6, 0.1),
    ),
    "lars": (db.LARS(CHANGING, 0.9, 0.02, 0.05), lambda: lars(0.9, 0.02, 0.05)),
    "lars-plain": (db.LARS(CHANGING, 0.0, 0.02), lambda: lars(0.0, 0.02, 0.0)),
    "lars-mindspore": (
        db.LARS.mindspore(CHANGING, 0.8, 1e-3, 0.02, weight_decay=0.1),
        lambda: lars(0.8, 0.02, 0.1, 1e-3, rate_outside=True),
    ),
    "lars-clip": (
        db.LARS.mindspore(CHANGING, 0.8, coefficient=300.0, use_clip=True),
        lambda: lars(0.8, 300.0, 0.0, 1e-5, rate_outside=True, clip=True),
    ),
    "ftrl": (
        db.Ftrl(0.1, l1_regularization_strength=0.05, l2_regularization_strength=0.1, beta=0.5),
        lambda: ftrl(0.1, 0.5, 0.05, 0.2),
    ),
    "ftrl-mindspore": (db.Ftrl.mindspore(0.1, l1=0.5), lambda: ftrl(0.1, 0.0, 0.5, 0.0)),
    "lookahead": (
        db.Lookahead(db.SGD(CHANGING, momentum=0.9), 7, 0.3),
        lambda: lookahead(7, 0.3, 0.9),
    ),
}


@witness("papers, in NumPy")
@pytest.mark.parametrize(("ours", "paper"), PAPERS.values(), ids=PAPERS)
def test_equations_are_those_of_the_papers(ours, paper):
    found = trajectory(load_backend("reference"), ours, START, GRADIENTS)["p"]
    expected = paper()
    assert np.abs(expected - START).max() > 1e-2
    for _, rows in CASE.parts(found.shape):
        assert_near(found[rows], expected[rows], 1e-9, "p")


def test_ftrl_as_it_is_written_loses_digits_in_float32():
    """Only the rows of gradients of 1e-3: √(n + g²) - √n. Ours is g² / (√(n + g²) + √n)."""
    rows = next(rows for scale, rows in CASE.parts(START.shape) if scale == 1e-3)
    written = ftrl(0.1, 0.0, 0.0, 0.0, np.float32)
    exact = ftrl(0.1, 0.0, 0.0, 0.0)
    assert relative_distance(written[rows], exact[rows]) > 1e-5
    for backend in ("tensorflow", "mindspore"):
        pytest.importorskip(backend)
        found = trajectory(load_backend(backend), db.Ftrl(0.1), START, GRADIENTS)["p"]
        assert_near(found[rows], exact[rows], 1e-6, backend)


def test_a_ratio_of_norms_is_1_where_a_norm_is_0():
    zeros, ones = np.zeros((2, 2), np.float32), np.ones((1, 2, 2), np.float32)
    reference = load_backend("reference")
    for optimizer in (db.Lamb(0.1, epsilon=0.0), db.LARS(0.1)):
        found = trajectory(reference, optimizer, zeros, ones)["p"]
        np.testing.assert_allclose(found, -0.1, rtol=1e-12)
    found = trajectory(reference, db.LARS(0.1), zeros + 1, 0 * ones)["p"]
    np.testing.assert_array_equal(found, 1.0)


@pytest.mark.parametrize("backend", ["reference", "tensorflow", "mindspore"])
def test_a_clipped_ratio_stands_a_rate_of_0(backend):
    if backend != "reference":
        pytest.importorskip(backend)
    optimizer = db.LARS(db.PiecewiseConstant((1,), (0.0, 0.5)), 0.0, 1.0, clip=True)
    start, gradients = np.ones((2, 2), np.float32), np.ones((2, 2, 2), np.float32)
    found = trajectory(load_backend(backend), optimizer, start, gradients)["p"]
    np.testing.assert_allclose(found, 0.5, rtol=1e-6)

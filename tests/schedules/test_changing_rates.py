"""Momenta and rates of dropout that change with the step."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import DnnbridgeError, SpecError
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.testing.assertions import assert_near

FLAT = db.PiecewiseConstant((3,), (0.3, 0.3))
X = np.random.default_rng(0).normal(size=(40, 6))
Y = np.random.default_rng(1).normal(size=(40, 2))


def trained(layer: AbstractLayer, optimizer: db.AbstractOptimizer | None = None) -> dict:
    model = db.Sequential([db.Input((6,)), db.Dense(9, "tanh"), layer, db.Dense(2)])
    optimizer = optimizer or db.SGD(0.1)
    run = db.compile(db.Experiment(model, db.MeanSquaredError(), optimizer), "reference")
    run.fit(X, Y, batch_size=10, epochs=3)
    return run.state()


@pytest.mark.parametrize("kind", [db.Dropout, db.AlphaDropout, db.GaussianDropout])
def test_a_schedule_draws_the_masks_of_its_numbers(kind):
    """A difference in one element of a mask would be visible. The rate is rounded to float32."""
    plain, changing = trained(kind(0.3)), trained(kind(FLAT))
    for name, array in plain.items():
        assert_near(changing[name], array, 1e-6, name)


def test_the_rate_of_dropout_follows_its_schedule():
    off = db.PiecewiseConstant((1,), (0.0, 0.0))
    on = db.PiecewiseConstant((1,), (0.0, 0.5))
    none, later = trained(db.Dropout(0.0)), trained(db.Dropout(on))
    for name, array in trained(db.Dropout(off)).items():
        np.testing.assert_array_equal(array, none[name])
        assert not np.array_equal(later[name], none[name])


def test_the_numbers_of_dropout_are_rounded_once():
    """Every backend compares with the same float32 number."""
    keep = db.KeepRate(db.PiecewiseConstant((1,), (0.1, 0.7)))
    assert keep.values(2) == [float(np.float32(0.9)), float(np.float32(1.0 - 0.7))]


@pytest.mark.parametrize(
    "make",
    [
        lambda s: db.SGD(0.1, momentum=s),
        lambda s: db.RMSprop(0.1, momentum=s),
        lambda s: db.Adam(0.1, beta_1=s),
    ],
)
def test_a_schedule_that_leaves_its_range_is_refused(make):
    optimizer = make(db.PiecewiseConstant((2,), (0.9, 1.0)))
    optimizer.host_scalars(1)
    with pytest.raises(SpecError, match=r"outside of \[0, 1\), got 1.0 at step 2"):
        optimizer.host_scalars(2)


def test_numbers_are_constants_and_schedules_are_fed():
    assert "momentum" not in db.SGD(0.1, momentum=0.9).host_scalars(0)
    assert db.SGD(0.1, momentum=FLAT).host_scalars(0)["momentum"] == 0.3
    assert db.SGD(0.1, momentum=0.0).slots((2,)) == {}
    assert db.Spec.from_json(db.Dropout(FLAT).to_json()) == db.Dropout(FLAT)
    with pytest.raises(SpecError, match=r"Adam.beta_1.*less than 1"):
        db.Adam(beta_1=1.5)


def test_the_product_of_betas_is_cut_where_it_no_longer_counts():
    changing = db.ExponentialDecay(0.9, decay_steps=1000, decay_rate=0.5)
    adam = db.Adam(0.1, beta_1=changing, beta_2=0.0)
    assert adam.scalars(0)["alpha"] == pytest.approx(0.1 / (1 - 0.9))
    for step in (11, 40, 200):
        betas = np.float64(np.float32(changing.values(step + 1)))
        expected = 0.1 / (1 - np.prod(betas))
        assert adam.scalars(step)["alpha"] == pytest.approx(expected, rel=1e-14)
    assert adam.scalars(10**9)["alpha"] == 0.1


def test_what_hears_metrics_is_refused_where_nothing_would_tell_it():
    with pytest.raises(SpecError, match=r"beta_1.*Plateau, which changes"):
        db.Adam(beta_1=db.Plateau(0.9))
    with pytest.raises(DnnbridgeError, match=r"cannot depend on metrics, got KeepRate"):
        trained(db.Dropout(db.Plateau(0.5)))

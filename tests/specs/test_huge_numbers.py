"""Whole numbers that no float holds: each field refuses them, or the spec computes with them."""

from __future__ import annotations

import contextlib

import pytest
from specs.test_repr import specs_of_cases

import dnnbridge as db
from dnnbridge.errors import DnnbridgeError, SpecError
from dnnbridge.specs.field_types import infos_of
from dnnbridge.specs.rewriting import specs_in

HUGE = 10**400
FORMS = (HUGE, -HUGE, 10**5000, 2**63, 1e30, [HUGE], [1, HUGE], [[HUGE]], {"a": HUGE})
STEPS = (0, 1, 999, 10**6)

EVERY = {type(inner): inner for each in specs_of_cases() for inner in specs_in(each)}


@pytest.mark.parametrize("one", EVERY.values(), ids=lambda one: type(one).__name__)
def test_no_field_raises_an_error_of_python(one):
    for name in infos_of(type(one)):
        for value in FORMS:
            with contextlib.suppress(DnnbridgeError):
                computed(one.replace(**{name: value}))
            with contextlib.suppress(DnnbridgeError):
                type(one).from_dict({**one.to_dict(), name: value})


def computed(spec):
    repr(spec)
    for step in STEPS:
        if isinstance(spec, db.AbstractSchedule):
            spec(step)
        if isinstance(spec, db.AbstractOptimizer):
            spec.scalars(step)


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda: db.Adam(weight_decay=HUGE), "Adam.weight_decay"),
        (lambda: db.Adam(HUGE), "Adam.learning_rate"),
        (lambda: db.Adam([0.1, HUGE]), "Adam.learning_rate"),
        (lambda: db.Adam(epsilon=HUGE), "Adam.epsilon"),
        (lambda: db.Rescaling([1, HUGE]), "Rescaling.scale"),
        (lambda: db.Discretization([1.0, HUGE]), "Discretization.bin_boundaries"),
        (lambda: db.Dense(HUGE), "Dense.units"),
        (lambda: db.Adafactor(beta_2_decay=2**63), "Adafactor.beta_2_decay"),
        (lambda: db.Adafactor(beta_2_decay=0.1), "Adafactor.beta_2_decay"),
        (lambda: db.ASGD(power=-1.0), "ASGD.power"),
        (lambda: db.ExponentialDecay(0.1, 1, 1e30)(999), "ExponentialDecay: a power"),
    ],
)
def test_the_error_says_where(make, where):
    with pytest.raises(SpecError, match=where):
        make()


def test_a_large_power_ends_in_a_rate_of_zero():
    assert db.ASGD(0.1, power=1e30).scalars(10)["eta"] == 0.0
    assert db.Adafactor(0.1, beta_2_decay=-1e30).scalars(10)["share"] == 0.0

"""Schedules: values from textbooks, and MindSpore's lists, results and errors."""

from __future__ import annotations

import itertools
import math

import pytest

import dnnbridge as db
from dnnbridge.errors import DnnbridgeError

FUNCTIONS = {
    "exponential_decay_lr": (0.1, 0.9, 6, 2, 1),
    "natural_exp_decay_lr": (0.1, 0.9, 6, 2, 1),
    "inverse_decay_lr": (0.1, 0.5, 6, 2, 1),
    "cosine_decay_lr": (0.01, 0.1, 6, 2, 2),
    "polynomial_decay_lr": (0.1, 0.01, 6, 2, 2, 0.5),
    "warmup_lr": (0.1, 6, 2, 2),
    "piecewise_constant_lr": ([2, 5], [0.1, 0.05]),
}


def test_textbook_exponential_decay():
    values = db.exponential_decay_lr(0.1, 0.9, 6, 2, 1)
    assert values == pytest.approx([0.1, 0.1, 0.09, 0.09, 0.081, 0.081], abs=1e-15)


def test_keras_formulas_by_hand():
    assert db.ExponentialDecay(0.1, 4, 0.9)(2) == 0.1 * 0.9**0.5
    assert db.InverseTimeDecay(0.1, 4, 0.9)(2) == pytest.approx(0.1 / 1.45)
    assert db.InverseTimeDecay(0.1, 4, 0.9, staircase=True)(7) == pytest.approx(0.1 / 1.9)
    assert db.PolynomialDecay(0.1, 4, 0.01, 0.5)(2) == pytest.approx(0.0736396, abs=1e-7)
    assert db.PolynomialDecay(0.1, 4, 0.01, 0.5, cycle=True)(6) == pytest.approx(0.055)
    assert db.CosineDecay(0.1, 4, alpha=0.1)(1) == pytest.approx(0.0868198, abs=1e-7)
    assert db.CosineDecay(0.1, 4, alpha=0.1)(99) == pytest.approx(0.01)


def every_argument(name):
    """Yield arguments around the ones of FUNCTIONS, with every flag."""
    base = list(FUNCTIONS[name])
    yield tuple(base)
    if name == "piecewise_constant_lr":
        yield ([3, 3, 9], [0.5, 0.25, 1e-3])
        yield ((1,), (0.7,))
        return
    for total, per_epoch, decay in itertools.product((1, 37), (1, 3, 50), (1, 4)):
        changed = list(base)
        start = {"warmup_lr": 1}.get(name, 2)
        changed[start : start + 3] = [total, per_epoch, decay]
        yield tuple(changed)
        if name in {
            "exponential_decay_lr",
            "natural_exp_decay_lr",
            "inverse_decay_lr",
            "polynomial_decay_lr",
        }:
            yield (*changed, True)


BAD_VALUES = [0, -1, 1, True, 1.5, -0.5, 0.0, "1", None, math.inf, math.nan, [1], [0.1], []]


def outcome(function, arguments):
    """Return the result, or which of the two kinds of error was raised."""
    try:
        return function(*arguments)
    except TypeError:
        return TypeError
    except ValueError:
        return ValueError


@pytest.mark.parametrize("name", FUNCTIONS)
def test_lists_equal_mindspore_to_the_last_bit(name):
    nn = pytest.importorskip("mindspore").nn
    count = 0
    for arguments in every_argument(name):
        assert getattr(db, name)(*arguments) == getattr(nn, name)(*arguments), arguments
        count += 1
    assert count >= 3


@pytest.mark.parametrize("name", FUNCTIONS)
def test_lists_refuse_what_mindspore_refuses(name):
    nn = pytest.importorskip("mindspore").nn
    base = FUNCTIONS[name]
    refused = 0
    flags = () if name in {"cosine_decay_lr", "warmup_lr", "piecewise_constant_lr"} else (False,)
    for i, bad in itertools.product(range(len(base) + len(flags)), BAD_VALUES):
        arguments = list(base + flags)
        arguments[i] = bad
        expected = outcome(getattr(nn, name), arguments)
        assert outcome(getattr(db, name), arguments) == expected, arguments
        refused += expected in (TypeError, ValueError)
    assert refused > 10


@pytest.mark.parametrize("name", FUNCTIONS)
def test_list_errors_are_ours_and_name_the_argument(name):
    arguments = [*FUNCTIONS[name]]
    arguments[0] = "x"
    with pytest.raises(DnnbridgeError, match="must be a"):
        getattr(db, name)(*arguments)


KERAS = {
    "ExponentialDecay": (db.ExponentialDecay(0.1, 4, 0.9), ("ExponentialDecay", 0.1, 4, 0.9)),
    "staircase": (
        db.ExponentialDecay(0.1, 4, 0.9, True),
        ("ExponentialDecay", 0.1, 4, 0.9, True),
    ),
    "InverseTimeDecay": (db.InverseTimeDecay(0.1, 4, 0.9), ("InverseTimeDecay", 0.1, 4, 0.9)),
    "PolynomialDecay": (db.PolynomialDecay(0.1, 4), ("PolynomialDecay", 0.1, 4)),
    "cycle": (
        db.PolynomialDecay(0.1, 4, 0.01, 0.5, True),
        ("PolynomialDecay", 0.1, 4, 0.01, 0.5, True),
    ),
    "CosineDecay": (db.CosineDecay(0.1, 10, 0.1), ("CosineDecay", 0.1, 10, 0.1)),
    "PiecewiseConstant": (
        db.PiecewiseConstant.keras([2, 5], [0.1, 0.05, 0.01]),
        ("PiecewiseConstantDecay", [2, 5], [0.1, 0.05, 0.01]),
    ),
}


@pytest.mark.parametrize(("ours", "native"), KERAS.values(), ids=KERAS)
def test_schedules_equal_keras(ours, native):
    keras = pytest.importorskip("keras")
    theirs = getattr(keras.optimizers.schedules, native[0])(*native[1:])
    assert ours.values(15) == pytest.approx([float(theirs(i)) for i in range(15)], rel=1e-6)


def test_piecewise_milestones_equal_mindspores_list():
    schedule = db.PiecewiseConstant.mindspore([2, 5, 12], [0.1, 0.05, 0.01])
    assert schedule.values(12) == db.piecewise_constant_lr([2, 5, 12], [0.1, 0.05, 0.01])

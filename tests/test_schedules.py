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
    "restarts": (
        db.CosineDecayRestarts(0.1, 5, 1.5, 0.8, 0.1),
        ("CosineDecayRestarts", 0.1, 5, 1.5, 0.8, 0.1),
    ),
    "restarts-alike": (
        db.CosineDecayRestarts(0.1, 4, 1.0, 0.5),
        ("CosineDecayRestarts", 0.1, 4, 1.0, 0.5),
    ),
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


def test_warm_up_goes_before_any_schedule():
    cosine = db.CosineDecay(0.1, decay_steps=10)
    warmed = db.Warmup(cosine, steps=4, start=0.02)
    assert warmed.values(4) == pytest.approx([0.02, 0.04, 0.06, 0.08])
    assert warmed.values(14)[4:] == cosine.values(10)
    assert db.Warmup(0.1, 5).values(9) == pytest.approx(db.LinearWarmup(0.1, 5).values(9))


def test_joined_schedules_count_their_own_steps():
    decay, cycle = db.ExponentialDecay(0.1, 2, 0.5), db.CyclicalLearningRate(0.0, 1.0, 3)
    joined = db.Join([decay, 0.3, cycle], [4, 6])
    assert joined.values(12) == [*decay.values(4), 0.3, 0.3, *cycle.values(6)]
    assert db.Spec.from_json(joined.to_json()) == joined


def test_cycles_by_hand():
    halved = db.CyclicalLearningRate(0.1, 0.5, 2, "triangular2").values(9)
    assert halved == pytest.approx([0.1, 0.3, 0.5, 0.3, 0.1, 0.2, 0.3, 0.2, 0.1])
    shrinking = db.CyclicalLearningRate(0.0, 1.0, 1, "exp_range", 0.5).values(4)
    assert shrinking == pytest.approx([0.0, 0.5, 0.0, 0.125])
    once = db.OneCycle(1.0, 101)
    assert (once(0), once(45), once(90), once(100)) == pytest.approx((0.1, 1.0, 0.1, 1e-4))
    assert once(95) == pytest.approx((0.1 + 1e-4) / 2)
    assert once(1000) == 1e-4
    assert max(once.values(101)) == 1.0


def test_a_schedule_of_epochs():
    """Every 20 epochs times 0.8."""
    steps = db.ExponentialDecay(0.1, decay_steps=20, decay_rate=0.8, staircase=True)
    values = db.PerEpoch(steps, steps_per_epoch=3).values(123)
    assert values[:60] == [0.1] * 60
    assert values[60:120] == [pytest.approx(0.08)] * 60
    assert values[120:] == [pytest.approx(0.064)] * 3
    assert db.Scaled(steps, 0.5)(20) == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("schedules", "boundaries"), [([0.1, 0.2], [3, 5]), ([0.1, 0.2, 0.3], [5, 3]), ([], [])]
)
def test_joins_that_do_not_fit_are_refused(schedules, boundaries):
    with pytest.raises(DnnbridgeError, match=r"boundaries|list of schedules"):
        db.Join(schedules, boundaries)

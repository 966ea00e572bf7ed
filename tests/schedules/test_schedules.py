"""Schedules: values from textbooks, and MindSpore's lists, results and errors."""

from __future__ import annotations

import itertools
import math
import xml.etree.ElementTree as ElementTree

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


LONG = {
    "exponential_decay_lr": (0.1, 0.9, 10_000, 7, 11),
    "natural_exp_decay_lr": (0.1, 0.013, 10_000, 7, 11),
    "inverse_decay_lr": (0.3, 0.7, 10_000, 7, 11),
    "cosine_decay_lr": (1e-4, 0.1, 10_000, 7, 1301),
    "polynomial_decay_lr": (0.1, 1e-4, 10_000, 7, 1301, 0.7),
    "warmup_lr": (0.1, 10_000, 7, 1301),
    "piecewise_constant_lr": ([171, 5003, 10_000], [0.3, 0.1, 1 / 3]),
}


@pytest.mark.parametrize("stairs", [(), (True,)], ids=["smooth", "stairs"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_ten_thousand_values_equal_mindspore_to_the_last_bit(name, stairs):
    nn = pytest.importorskip("mindspore").nn
    flag = () if name in {"cosine_decay_lr", "warmup_lr", "piecewise_constant_lr"} else stairs
    ours = getattr(db, name)(*LONG[name], *flag)
    assert len(set(ours)) > 2
    assert len(ours) == 10_000
    assert ours == getattr(nn, name)(*LONG[name], *flag)


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
    "PiecewiseConstantDecay": (
        db.PiecewiseConstantDecay([2, 5], [0.1, 0.05, 0.01]),
        ("PiecewiseConstantDecay", [2, 5], [0.1, 0.05, 0.01]),
    ),
    "inverse-stairs": (
        db.InverseTimeDecay(0.1, 4, 0.9, True),
        ("InverseTimeDecay", 0.1, 4, 0.9, True),
    ),
    "power-is-inverse": (db.PowerDecay(0.1, 4), ("InverseTimeDecay", 0.1, 4, 1.0)),
    "power-stairs": (
        db.PowerDecay(0.1, 4, staircase=True),
        ("InverseTimeDecay", 0.1, 4, 1.0, True),
    ),
    "cosine-keras": (db.CosineDecay.keras(0.1, 10, 0.1), ("CosineDecay", 0.1, 10, 0.1)),
    "cosine-warm-up": (
        db.CosineDecay.keras(0.0, 10, 0.1, warmup_target=0.2, warmup_steps=5),
        ("CosineDecay", 0.0, 10, 0.1, "CosineDecay", 0.2, 5),
    ),
    "cosine-cool-down": (
        db.CosineDecay.keras(0.3, 7, warmup_target=0.2, warmup_steps=3),
        ("CosineDecay", 0.3, 7, 0.0, "CosineDecay", 0.2, 3),
    ),
    "cosine-target-only": (
        db.CosineDecay.keras(0.3, 7, warmup_target=0.2),
        ("CosineDecay", 0.3, 7, 0.0, "CosineDecay", 0.2),
    ),
    "cosine-steps-only": (
        db.CosineDecay.keras(0.3, 7, warmup_steps=3),
        ("CosineDecay", 0.3, 7, 0.0, "CosineDecay", None, 3),
    ),
}


@pytest.mark.parametrize(("ours", "native"), KERAS.values(), ids=KERAS)
def test_schedules_equal_keras(ours, native):
    keras = pytest.importorskip("keras")
    theirs = getattr(keras.optimizers.schedules, native[0])(*native[1:])
    assert ours.values(15) == pytest.approx([float(theirs(i)) for i in range(15)], rel=1e-6)


MINDSPORE = {
    "exponential": ("ExponentialDecayLR", 0.1, 0.9, 4),
    "exponential-stairs": ("ExponentialDecayLR", 0.1, 0.9, 4, True),
    "natural": ("NaturalExpDecayLR", 0.1, 0.09, 4),
    "natural-stairs": ("NaturalExpDecayLR", 0.1, 0.09, 4, True),
    "inverse": ("InverseDecayLR", 0.1, 0.9, 4),
    "inverse-stairs": ("InverseDecayLR", 0.1, 0.9, 4, True),
    "cosine": ("CosineDecayLR", 0.01, 0.1, 13),
    "cosine-to-0": ("CosineDecayLR", 0.0, 0.1, 13),
    "polynomial": ("PolynomialDecayLR", 0.1, 0.01, 13, 0.5),
    "polynomial-cycle": ("PolynomialDecayLR", 0.1, 0.01, 7, 2.0, True),
    "warm-up": ("WarmUpLR", 0.1, 7),
}
FLOAT32 = 2.0**-23


@pytest.mark.parametrize(
    ("name", "arguments"), [(n, a) for n, *a in MINDSPORE.values()], ids=MINDSPORE
)
def test_classes_equal_mindspore(name, arguments):
    """MindSpore computes in float32; its cosine is 1 + sin(angle), which cancels."""
    ms = pytest.importorskip("mindspore")
    theirs = getattr(ms.nn, name)(*arguments)
    values = [float(theirs(ms.Tensor(step, ms.int32)).asnumpy()) for step in range(20)]
    ours = getattr(db, name)(*arguments)
    assert ours.values(20) == pytest.approx(values, rel=8 * FLOAT32, abs=4 * FLOAT32 * 0.1)
    assert db.Spec.from_json(ours.to_json()) == ours


@pytest.mark.parametrize(("low", "high"), [(0.1, 0.1), (0.2, 0.1), (-0.1, 0.1)])
def test_a_cosine_that_does_not_fall_is_refused(low, high):
    with pytest.raises(DnnbridgeError, match=r"max_lr.*got min_lr="):
        db.CosineDecayLR(low, high, 4)


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


def test_power_decay_by_hand():
    """Géron: the rate falls to a half after s steps, then to a third, a quarter."""
    power = db.PowerDecay(0.6, decay_steps=20)
    assert power.values(61)[::20] == pytest.approx([0.6, 0.3, 0.2, 0.15])
    assert db.PowerDecay(0.6, 20, power=2.0)(40) == pytest.approx(0.6 / 9)
    assert db.PowerDecay(0.6, 20, staircase=True)(39) == 0.3


def test_any_schedule_in_stairs():
    for smooth, stairs in (
        (db.ExponentialDecay(0.1, 4, 0.9), db.ExponentialDecay(0.1, 4, 0.9, staircase=True)),
        (db.InverseTimeDecay(0.1, 4, 0.9), db.InverseTimeDecay(0.1, 4, 0.9, staircase=True)),
        (db.NaturalExpDecay(0.1, 4, 0.9), db.NaturalExpDecay(0.1, 4, 0.9, staircase=True)),
        (db.PowerDecay(0.1, 4, 0.9), db.PowerDecay(0.1, 4, 0.9, staircase=True)),
    ):
        assert db.Staircase(smooth, 4).values(30) == pytest.approx(stairs.values(30), rel=1e-14)
        assert smooth.values(30) != stairs.values(30)


def test_the_momentum_of_one_cycle_runs_against_the_rate():
    rate = db.OneCycle(1.0, 101)
    momentum = rate.momentum()
    assert (momentum(0), momentum(45), momentum(90), momentum(95), momentum(1000)) == pytest.approx(
        (0.95, 0.85, 0.95, 0.95, 0.95)
    )
    for step in range(90):
        assert (rate(step + 1) - rate(step)) * (momentum(step + 1) - momentum(step)) < 0
    other = db.OneCycle(1.0, 50, tail_steps=0).momentum(0.9, 0.5)
    assert other == db.OneCycleMomentum(50, 0.9, 0.5, 0)
    assert min(other.values(50)) == pytest.approx(0.5, abs=0.01)
    assert other(49) == 0.9


def test_a_drawing_shows_every_value(tmp_path):
    path = tmp_path / "rate.svg"
    drawing = db.PiecewiseConstant((3,), (0.5, 0.1)).plot(path, steps=6)
    assert (
        path.read_text() == drawing.svg == db.PiecewiseConstant((3,), (0.5, 0.1)).plot(steps=6).svg
    )
    root = ElementTree.fromstring(drawing.svg)
    texts = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"PiecewiseConstant", "step", "learning rate", "0.50", "0.10", "5"} <= texts
    assert "momentum" in db.OneCycleMomentum(9).plot(steps=9).svg
    assert drawing.svg != db.PiecewiseConstant((2,), (0.5, 0.1)).plot(steps=6).svg


@pytest.mark.parametrize(
    ("schedules", "boundaries"), [([0.1, 0.2], [3, 5]), ([0.1, 0.2, 0.3], [5, 3]), ([], [])]
)
def test_joins_that_do_not_fit_are_refused(schedules, boundaries):
    with pytest.raises(DnnbridgeError, match=r"boundaries|list of schedules"):
        db.Join(schedules, boundaries)

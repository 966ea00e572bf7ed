"""Schedules that use metrics, in any spec."""

from __future__ import annotations

import math

import pytest

import dnnbridge as db
from dnnbridge.errors import SpecError
from dnnbridge.schedules import ScheduleLike, heard
from dnnbridge.schedules.listening import check_heard
from dnnbridge.specs.rewriting import rewritten

FALLEN = {"val_loss": 1.0}


def plateau(rate=1.0, **changes):
    """Return a schedule that falls after the next epoch without improvement."""
    return db.Plateau(rate, patience=1, factor=0.5, best=0.5, **changes)


AROUND = {
    "itself": plateau(),
    "scaled": db.Scaled(plateau(), 1.0),
    "joined": db.Join([0.1, plateau()], [2]),
    "warmed": db.Warmup(plateau(), 2),
    "per-epoch": db.PerEpoch(plateau(), 2),
    "stairs": db.Staircase(plateau(), 2),
    "deep": db.Scaled(db.Join([0.1, db.Warmup(plateau(), 1)], [1]), 1.0),
}


@pytest.mark.parametrize("schedule", AROUND.values(), ids=AROUND)
def test_combinators_and_optimizers_pass_metrics_on(schedule):
    optimizer = heard(db.Adam(schedule, beta_1=0.8), FALLEN)
    assert optimizer.learning_rate(9) == 0.5 * schedule(9) == 0.5
    assert optimizer.beta_1 == 0.8
    again = db.Spec.from_json(optimizer.to_json())
    assert again == optimizer
    assert heard(again, FALLEN).learning_rate(9) == 0.25


def test_two_of_them_remember_for_themselves():
    inner = plateau()
    outer = db.Plateau(inner, patience=2, factor=0.1, best=0.5)
    once = heard(outer, FALLEN)
    assert once(0) == 0.5
    assert heard(once, FALLEN)(0) == pytest.approx(0.025)


@pytest.mark.parametrize("optimizer", [db.SGD(0.1), db.SGD(db.Warmup(db.CosineDecay(0.1, 9), 3))])
def test_a_spec_that_does_not_listen_stays_the_same_object(optimizer):
    assert heard(optimizer, FALLEN) is optimizer


def test_a_missing_metric_says_what_there_is():
    with pytest.raises(
        SpecError, match=r"'val_loss'. This epoch has: loss, accuracy. Names with val_"
    ):
        check_heard(db.SGD(plateau()), ["loss", "accuracy"])
    with pytest.raises(SpecError, match="This epoch has: val_accuracy"):
        heard(db.SGD(plateau()), {"val_accuracy": 0.9, "confusion_matrix": [[1.0]]})


def test_an_epoch_without_validation_is_not_heard():
    optimizer = db.SGD(plateau())
    assert heard(optimizer, {"loss": 0.3}) == optimizer


@pytest.mark.parametrize("monitor", ["temperature", "val_confusion_matrix"])
def test_a_direction_that_nobody_knows_is_refused(monitor):
    with pytest.raises(SpecError, match='Write mode="min" or mode="max"'):
        db.Plateau(0.1, monitor)
    assert db.Plateau(0.1, monitor, mode="max").mode == "max"


@pytest.mark.parametrize(
    ("monitor", "better"),
    [
        ("loss", 0.4),
        ("val_mean_absolute_error", 0.4),
        ("perplexity", 0.4),
        ("val_auc", 0.6),
        ("accuracy", 0.6),
        ("f1_score", 0.6),
        ("r_squared", 0.6),
        ("top_k_accuracy", 0.6),
    ],
)
def test_auto_knows_losses_and_metrics(monitor, better):
    schedule = db.Plateau(1.0, monitor, best=0.5)
    assert schedule.heard({monitor: better}).best == better
    assert schedule.heard({monitor: 1.0 - better}).best == 0.5


def test_metrics_that_are_not_finite_are_no_improvement():
    schedule = db.Plateau(1.0, patience=3, factor=0.5)
    for value in (math.nan, math.inf, -math.inf):
        assert schedule(0) == 1.0
        schedule = schedule.heard({"val_loss": value})
    assert (schedule(0), schedule.best) == (0.5, None)
    assert schedule.heard({"val_loss": 3.0}).best == 3.0


def test_the_bound_neither_raises_a_rate_nor_lets_it_fall_below():
    schedule = plateau(db.LinearWarmup(1.0, 10), min_lr=0.3, scale=0.01)
    assert schedule.values(12) == pytest.approx([0, 0.1, 0.2, *[0.3] * 9])
    assert plateau(db.LinearWarmup(1.0, 10), min_lr=0.3)(9) == 0.9


def test_rewriting_keeps_what_it_does_not_change():
    x = db.Input((4,))
    shared = db.Dense(4, "relu")
    model = db.Model(x, db.Dense(2)(shared(shared(x))))

    def doubled(spec):
        return spec.replace(units=2 * spec.units) if getattr(spec, "units", 0) == 4 else spec

    assert rewritten(model, lambda spec: spec) is model
    made = rewritten(model, doubled)
    assert [node.layer.units for node in made.nodes if node.layer is not None] == [8, 8, 2]
    assert made.nodes[2] is model.nodes[2]
    assert [node.shares for node in made.nodes] == [node.shares for node in model.nodes]
    assert model.nodes[0].layer.units == 4


def test_an_object_in_two_places_is_rewritten_once():
    rate, calls = db.LinearWarmup(0.5, 2), []

    def halved(spec):
        calls.append(spec)
        return spec.replace(learning_rate=0.25) if isinstance(spec, db.LinearWarmup) else spec

    made = rewritten(db.Join([rate, rate], [4]), halved)
    assert made.schedules[0] is made.schedules[1]
    assert made.schedules[0].learning_rate == 0.25
    assert len(calls) == 2


def test_dictionaries_of_specs_are_rewritten():
    @db.spec
    class TableOfRates(db.AbstractSchedule):
        rates: dict[str, ScheduleLike]

        def __call__(self, step):
            return self.rates["a"](step)

    assert heard(TableOfRates({"a": plateau(), "b": plateau()}), FALLEN)(0) == 0.5

"""Every row of the table is a rule or has a reason, and rules fire where they should only."""

from __future__ import annotations

import math

import pytest

import dnnbridge as db
from dnnbridge.doctor.rule import always
from dnnbridge.doctor.rules import RULES, UNTOLD
from dnnbridge.doctor.table import rows

pytest.importorskip("native_differences")

from doctor.neutral_cases import NEUTRAL, NEUTRAL_TO_KERAS, PLANTED, TO_KERAS

SEEN = {name for name, rule in RULES.items() if not rule.unseen}
BOTH = {"mindspore", "tensorflow"}


def fired(thing, to):
    return {each.rule.name for each in db.lint(thing, to).findings}


def test_every_row_is_a_rule_or_says_why_not():
    assert RULES.keys() | UNTOLD.keys() == rows().keys()
    assert not RULES.keys() & UNTOLD.keys()
    assert len(RULES) >= 70
    for reason in UNTOLD.values():
        assert len(reason.split()) >= 4


def test_every_rule_that_lint_reports_has_planted_and_neutral_models():
    assert PLANTED.keys() | TO_KERAS.keys() == SEEN
    assert NEUTRAL.keys() == SEEN


@pytest.mark.parametrize("name", PLANTED)
def test_a_rule_fires_where_it_is_planted(name):
    assert name in fired(PLANTED[name], "mindspore")


@pytest.mark.parametrize("name", TO_KERAS)
def test_a_rule_fires_on_the_way_to_keras(name):
    assert name in fired(TO_KERAS[name], "tensorflow")
    assert "tensorflow" in RULES[name].targets


@pytest.mark.parametrize("name", NEUTRAL)
def test_a_rule_is_silent_where_both_sides_are_equal(name):
    for thing in NEUTRAL[name]:
        assert name not in fired(thing, "mindspore"), thing


@pytest.mark.parametrize("name", NEUTRAL_TO_KERAS)
def test_a_rule_is_silent_where_keras_says_the_same(name):
    for thing in NEUTRAL_TO_KERAS[name]:
        assert name not in fired(thing, "tensorflow"), thing


def test_every_rule_that_arguments_can_silence_is_silent_on_both_ways():
    asks = {n for n in SEEN if "tensorflow" in RULES[n].targets and RULES[n].bites is not always}
    assert asks <= NEUTRAL_TO_KERAS.keys()


@pytest.mark.parametrize("name", sorted(SEEN - TO_KERAS.keys()))
def test_a_spec_of_keras_meaning_is_not_reported_on_the_way_to_keras(name):
    if "tensorflow" not in RULES[name].targets:
        assert name not in fired(PLANTED[name], "tensorflow")


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_whole(name):
    rule = RULES[name]
    assert rule.name == name == rule.row.id
    assert rule.keras or rule.mindspore
    assert set(rule.targets) <= BOTH
    effect = rule.effect
    assert effect.loud or effect.number > 0
    assert effect.measured
    if rule.unseen:
        assert rule.unseen.endswith(".")


@pytest.mark.parametrize("name", sorted(SEEN))
def test_a_finding_has_an_explanation_and_a_remedy_for_both(name):
    things = [(PLANTED, "mindspore"), (TO_KERAS, "tensorflow")]
    table, to = next(each for each in things if name in each[0])
    found = next(e for e in db.lint(table[name], to).findings if e.rule.name == name)
    assert found.explanation.endswith(".")
    assert all(found.remedy)
    assert found.where
    for code in found.remedy:
        compile(code, name, "exec")
        assert "dnnbridge" not in code


def test_the_effect_is_the_measured_one():
    effect = RULES["batch-norm-variance"].effect
    assert effect.measured == {"mindspore": "1.33333", "keras": "1.125"}
    assert effect.number == pytest.approx((4 / 3 - 1.125) / (4 / 3), rel=1e-4)
    assert not effect.loud
    tanh = RULES["tanh"].effect  # its numbers are errors, so they are not divided
    assert tanh.number == pytest.approx(9.9e-5, rel=0.01)
    assert tanh.unit == "absolute"
    assert RULES["elu-alpha"].effect.loud
    assert math.isinf(RULES["mish-overflow"].effect.number)
    assert not RULES["mish-overflow"].effect.loud

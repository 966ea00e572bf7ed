"""The bench: what `align` finds of programs of Keras and their translations to MindSpore."""

import pytest
from doctor.bench.every_pair import PAIRS
from doctor.bench.judging import Found, Judgement, judged
from doctor.bench.limits import LIMITS
from doctor.bench.pair import Expected

QUICK = ("adam-defaults", "rmsprop-kernel", "padding-by-default", "sum-of-errors", "momentum")
"""The short form: differences of most sections, and a pair that agrees."""

SECTIONS = {
    *("optimizer", "schedule", "layer", "loss", "start", "kernel", "mechanics"),
    "none",
}


@pytest.mark.filterwarnings("ignore::dnnbridge.LogitsWarning")
@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in PAIRS],
)
def test_align_finds_what_was_planted_and_nothing_else(name):
    pytest.importorskip("keras")
    pytest.importorskip("mindspore")
    made = judged(PAIRS[name])
    assert made.layers >= 10 or not name.startswith("deep-")
    if name in LIMITS:
        assert not made.right, f"it is found now: take {name} out of limits.py"
    else:
        assert made.right, str(made)


def test_the_bench_has_pairs_of_every_section():
    planted = [pair for pair in PAIRS.values() if pair.expected]
    agreeing = [pair for pair in PAIRS.values() if not pair.expected]
    assert len(planted) >= 44
    assert len(agreeing) >= 20
    assert sum(pair.name.startswith("deep-") for pair in planted) >= 20
    assert sum(pair.name.startswith("deep-") for pair in agreeing) >= 10
    assert {pair.section for pair in PAIRS.values()} == SECTIONS
    assert all((pair.section == "none") == (not pair.expected) for pair in PAIRS.values())
    assert all(1 <= len(pair.expected) <= 3 for pair in planted)
    assert {*QUICK, *LIMITS} <= {*PAIRS}


EPSILON = Found("update", "dense/kernel", "adam-epsilon", "epsilon of Adam is 1e-07 here")
START = Found("note", "", "dense-start", "they start with other ones: dense/bias (0)")
WHERE = Expected("start", "dense/bias", "dense-start")

JUDGED = {
    "all of it": ("adam-defaults", (EPSILON,), (), True),
    "nothing": ("adam-defaults", (), (), False),
    "another rule": ("adam-defaults", (EPSILON._replace(rule="adagrad-epsilon"),), (), False),
    "another argument": ("adam-defaults", (EPSILON._replace(says="beta_1"),), (), False),
    "another weight": ("adam-defaults", (EPSILON._replace(where="dense/bias"),), (), False),
    "another stage": ("adam-defaults", (EPSILON._replace(stage="slots"),), (), False),
    "one too many": ("adam-defaults", (EPSILON, EPSILON._replace(stage="rate")), (), False),
    "a false cause": ("plain-relu", (EPSILON,), (), False),
    "no false cause": ("plain-relu", (), (START,), True),
    "a note of a start": ("dense-start", (), (START,), True),
    "no note": ("dense-start", (), (), False),
}


@pytest.mark.parametrize("case", JUDGED)
def test_a_judgement_is_strict(case):
    name, found, notes, right = JUDGED[case]
    made = Judgement(PAIRS[name], 2, found, notes)
    assert made.right == right
    assert bool(made.missed or made.false) != right

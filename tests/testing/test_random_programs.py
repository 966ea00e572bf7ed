"""Random experiments, and experiments that failed in the past, on every backend."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sabotage.other_rules import OtherRules

from dnnbridge import Dense, Experiment, Input, MeanSquaredError, Sequential, ops
from dnnbridge.backend.plugins import load_backend
from dnnbridge.ops import RULES
from dnnbridge.ops.rule import Rule
from dnnbridge.optimizers import SGD
from dnnbridge.testing.programs import measure_program
from dnnbridge.testing.random_programs import check_random_programs
from dnnbridge.testing.random_programs.__main__ import main
from dnnbridge.testing.subject import Subject

REGRESSIONS = sorted((Path(__file__).parents[1] / "regressions").glob("*.json"))

SMALL = Experiment(
    Sequential([Input((3,)), Dense(2, "tanh"), Dense(1)]), MeanSquaredError(), SGD(0.1)
)

FEW = 5
"""Number of programs in the short form."""


def gradient_off(op, factor: float) -> dict:
    rule = RULES[op]
    return {op: Rule(rule.forward, lambda *xs: tuple(factor * d for d in rule.vjp(*xs)))}


@pytest.fixture(params=["reference", "tensorflow", "mindspore"])
def subject(request) -> Subject:
    if request.param != "reference":
        pytest.importorskip(request.param)
    return Subject(load_backend(request.param))


def test_a_few_random_programs_follow_the_reference(subject, request):
    check_random_programs(subject, request.config.getoption("--random-programs"), few=FEW)


@pytest.mark.slow
def test_random_programs_follow_the_reference(subject):
    check_random_programs(subject)


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.stem)
def test_what_was_once_wrong_follows_the_reference(path, subject):
    experiment = Experiment.from_json(path.read_text())
    assert [str(made) for made in measure_program(experiment, subject) if not made.ok] == []


@pytest.mark.parametrize("op", [ops.Tanh, ops.MatMul, ops.Square], ids=lambda op: op.__name__)
def test_a_gradient_that_is_off_by_a_ten_thousandth_is_found(op):
    measured = measure_program(SMALL, Subject(OtherRules(gradient_off(op, 1.0 + 1e-4))))
    assert [made for made in measured if not made.ok]
    assert all(made.ok for made in measure_program(SMALL, Subject(OtherRules({}))))


def test_a_value_in_float32_is_within_the_roundings():
    def single(rule):
        return Rule(lambda *xs: np.asarray(rule.forward(*xs)).astype("f4").astype("f8"), rule.vjp)

    rules = {op: single(RULES[op]) for op in (ops.MatMul, ops.Tanh, ops.Add, ops.Mul, ops.Sub)}
    measured = measure_program(SMALL, Subject(OtherRules(rules)))
    assert all(made.ok for made in measured)
    assert any(made.error for made in measured)


@pytest.mark.slow
def test_a_failure_is_shrunk_and_says_how_to_run_it_again(capsys):
    subject = Subject(OtherRules(gradient_off(ops.Tanh, 0.5)))
    with pytest.raises(AssertionError, match="Run it again: python -m") as caught:
        check_random_programs(subject)
    text = str(caught.value)
    experiment = Experiment.from_json(text[text.index("{") : text.rindex("}") + 1])
    assert len(experiment.to_json().splitlines()) < 200
    assert any(not made.ok for made in measure_program(experiment, subject))
    path = text.split("Run it again: ")[1].split()[3]
    assert main([path, "reference"]) == 0
    assert "step 0, loss" in capsys.readouterr().out

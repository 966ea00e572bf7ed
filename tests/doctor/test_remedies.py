"""The claims of the rules, checked in both frameworks: natives differ, remedies agree."""

from __future__ import annotations

import ast
import re

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.doctor.rules import RULES

native_differences = pytest.importorskip("native_differences")

from doctor.remedy_cases_of_training import CASES, MORE  # noqa: E402
from doctor.run_code import results_elsewhere  # noqa: E402
from native_differences import ROWS, page  # noqa: E402

ALL = CASES | MORE

SIDES = {"keras": "tensorflow", "mindspore": "mindspore"}


def is_expression(code):
    try:
        ast.parse(code, mode="eval")
    except SyntaxError:
        return False
    return True


def with_remedy(around, remedy):
    """Paste a remedy into code: whole, its first line and its other lines, or its function."""
    pasted = f"({remedy})" if is_expression(remedy) else remedy
    first, _, rest = remedy.partition("\n")
    if "FUNCTION" in around:
        name = re.match(r"def (\w+)", remedy)
        return (
            f"{remedy}\n{around.replace('FUNCTION', name[1])}"
            if name
            else (around.replace("FUNCTION", pasted))
        )
    made = []
    for line in around.splitlines():
        if "REMEDY_REST" in line:
            begin = line[: len(line) - len(line.lstrip())]
            if line.strip() == "REMEDY_REST":
                made += [begin + each for each in rest.splitlines()]
                continue
            line = line.replace("REMEDY_REST", f"({rest})")
        made.append(line.replace("REMEDY_FIRST", first).replace("REMEDY", pasted))
    return "\n".join(made)


def remedy_of(name, thing):
    """Return the remedy of the finding that a rule must make of its case."""
    rule, _, kind = name.partition("--")
    to = "tensorflow" if kind == "to-keras" else "mindspore"
    found = [each for each in db.lint(thing, to).findings if each.rule.name == rule]
    assert found, f"{name} does not fire"
    return found[0].remedy


@pytest.fixture(scope="module")
def results():
    """Return the results of natives and of remedies, by side and name."""
    made = {}
    for side, module in SIDES.items():
        pytest.importorskip(module)
        code = {}
        for name, case in ALL.items():
            remedy = getattr(remedy_of(name, case.thing), module)
            code[name] = with_remedy(getattr(case, side), remedy)
        for name in CASES:
            if native := getattr(ROWS[name], side):
                code[f"{name}-native"] = native
        made[side] = results_elsewhere(side, code)
    return made


@pytest.mark.parametrize("name", ALL)
def test_the_pasted_code_of_both_sides_agrees(name, results):
    keras, mindspore = (results[side][name] for side in SIDES)
    assert "error" not in keras, keras
    assert "error" not in mindspore, mindspore
    one, other = (np.asarray(each["value"]) for each in (keras, mindspore))
    assert one.shape == other.shape
    scale = max(np.abs(one).max(), 1e-3)
    np.testing.assert_allclose(other / scale, one / scale, rtol=0, atol=ALL[name].tolerance)


@pytest.mark.parametrize("name", CASES)
def test_the_classes_of_the_same_name_differ_as_stated(name, results):
    effect = RULES[name].effect
    live = {side: results[side].get(f"{name}-native") for side in SIDES}
    for side, text in effect.measured.items():
        if side in live and not text.startswith("`"):
            assert page.same(live[side], stated(text), 0.05), (live[side], text)
    if effect.loud:
        assert any(result and "error" in result for result in live.values())
    elif None not in live.values():
        assert not page.same(live["mindspore"], live["keras"], 1e-6)


def stated(text):
    return {"value": [float(each) for each in text.split(", ")]}


def test_many_rules_are_checked():
    assert len(CASES) >= 40
    assert {"layer", "loss", "update", "start", "rate", "gradient"} <= {
        RULES[name].stage for name in CASES
    }

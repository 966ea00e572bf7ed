"""The guide of the doctor has the rules of the code, and its example prints what it says."""

from __future__ import annotations

import re

import pytest

tool = pytest.importorskip("doctor_rules")


def test_the_tables_of_the_guide_are_those_of_the_rules():
    assert tool.GUIDE.read_text("utf-8") == tool.page(), "run: python tools/doctor_rules.py"


def test_the_guide_counts_the_rules_that_are_checked():
    pytest.importorskip("native_differences")
    from doctor.remedy_cases_of_training import CASES

    assert f"Tests check {len(CASES)} of the rules" in tool.GUIDE.read_text("utf-8")


def test_the_example_of_the_guide_prints_what_it_says(capsys):
    text = tool.GUIDE.read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    wanted = re.search(r"prints\n\n```\n(.*?)```", text, re.S)[1]
    exec(compile(code, "doctor.md", "exec"), {})
    assert capsys.readouterr().out == wanted

"""The page of native differences has every row, and its right results are still the same."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from native_differences import ROWS, measure, page

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "measurements" / "native-differences.md").read_text(encoding="utf-8")


def test_the_page_has_every_row_and_no_other():
    assert len(ROWS) >= 50
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"has {len(ROWS)} such" in readme
    headings = [line[4:] for line in PAGE.splitlines() if line.startswith("### ")]
    assert headings == [row.title for row in ROWS.values()]
    for row in ROWS.values():
        for side in ("mindspore", "keras", "reference"):
            for name, code in row.code(side).items():
                assert f"```python\n{code.strip()}\n```" in PAGE, (row.id, name)


def test_every_row_can_tell_whether_it_is_still_so():
    for row in ROWS.values():
        assert row.expected or (row.mindspore and row.keras), row.id
        assert row.here or row.expected or row.like_mindspore or row.like_keras, row.id


@pytest.mark.parametrize("id", [id for id, row in ROWS.items() if row.code("reference")])
def test_the_page_says_what_the_reference_computes(id, tmp_path, monkeypatch):
    """Compute all right results and results of our code again, and find them in the page."""
    monkeypatch.chdir(tmp_path)
    part = PAGE.split(f'<a id="{id}"></a>')[1].split("<a id=")[0]
    for name, code in ROWS[id].code("reference").items():
        result = measure.run("reference", f"{id}-{name}", code)
        sys.modules.pop(f"{id}-{name}".replace("-", "_"))
        assert "error" not in result, result
        assert f"{page.TITLES[name]}: **{page.text(result)}**" in part, (name, result)


def test_nothing_here_differs_from_what_it_reproduces():
    assert "not the same" not in PAGE
    assert "not installed" not in PAGE


FAULTS = {
    "mindspore": ("nesterov-ignored", "rmsprop-body-and-tail", "bce-one", "float32-folding"),
    "keras": ("indexed-slices", "celu-zero"),
}


@pytest.mark.parametrize("side", FAULTS)
def test_a_handful_is_still_so(side):
    pytest.importorskip({"keras": "tensorflow"}.get(side, side))
    native = measure.measured(side, FAULTS[side])
    right = measure.measured("reference", FAULTS[side])
    for id in FAULTS[side]:
        assert page.status(ROWS[id], native[id] | right[id]) == "still so", (native[id], right[id])


def test_a_fault_that_is_gone_is_fixed():
    row = ROWS["nesterov-ignored"]
    right, wrong = {"value": [-1.9]}, {"value": [-1.0]}
    assert page.status(row, {"expected": right, "mindspore": right, "keras": right}) == "fixed"
    assert page.status(row, {"expected": right, "mindspore": wrong, "keras": right}) == "still so"
    assert page.status(row, {"expected": right}) == "cannot run here"
    assert page.status(row, {"expected": right, "mindspore": {"error": "no"}}) == "still so"
    other = ROWS["momentum-changing-rate"]
    assert page.status(other, {"mindspore": wrong, "keras": wrong}) == "fixed"
    assert page.status(other, {"mindspore": wrong}) == "cannot run here"


def test_results_that_are_the_same():
    nan = {"value": [float("nan"), 1.0]}
    assert page.same(nan, nan, 1e-6)
    assert not page.same(nan, {"value": [0.0, 1.0]}, 1e-6)
    assert page.same({"value": [1.0, 1.0]}, {"value": [1.0]}, 1e-6)
    assert not page.same({"value": "True"}, {"value": [1.0]}, 1e-6)
    assert not page.same({"value": [0.0]}, {"value": [-1e-8]}, 1e-4)


def test_a_row_that_ends_its_process_does_not_end_the_others(monkeypatch):
    calls = []

    class Ended:
        stderr = "killed"

        def __init__(self, ids):
            done = ids[: ids.index("ftrl-l1")] if "ftrl-l1" in ids else ids
            lines = [json.dumps({"row": id, "results": {"keras": {"value": [1.0]}}}) for id in done]
            self.stdout = "\n".join(lines)

    def run(command, **_):
        calls.append(command[4:])
        return Ended(command[4:])

    monkeypatch.setattr(measure.subprocess, "run", run)
    found = measure.measured("keras", ["celu-zero", "ftrl-l1", "bce-one"])
    assert calls == [["celu-zero", "ftrl-l1", "bce-one"], ["bce-one"]]
    assert "killed" in found["ftrl-l1"]["keras"]["error"]
    assert np.isfinite(found["bce-one"]["keras"]["value"])

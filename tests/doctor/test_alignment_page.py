"""The errors that an alignment keeps, and its page: whole, escaped, with their values."""

import base64
import dataclasses
import html
import json
import re
from pathlib import Path

import numpy as np
import pytest
from doctor.aligning_nets import DATA, SMALL, adam, net, normalised, run
from doctor.test_aligning import broken
from report.trained_runs import EVIL, Page

import dnnbridge as db
from dnnbridge.doctor.aligning import align
from dnnbridge.doctor.alignment import Alignment
from dnnbridge.doctor.causes import Cause
from dnnbridge.doctor.differences import Difference
from dnnbridge.doctor.error_table import ErrorTable
from dnnbridge.doctor.sides import Spot
from dnnbridge.drawing.heat import SHADES, classes, picture
from dnnbridge.errors import ArgumentError, DTypeError
from dnnbridge.report.alignment_page import render_alignment
from dnnbridge.report.heat_maps import LONGEST, maps_of


@pytest.fixture(scope="module")
def several():
    """Three differences: two at the first step, one at the fifth."""
    rate = db.PiecewiseConstant((4,), (0.01, 0.001))
    a = run(*normalised(), optimizer=db.Adam(0.01))
    b = run(*normalised(epsilon=1e-5, momentum=0.9), optimizer=db.Adam(rate))
    return align(a, b, DATA, 7, 8, validation_data=DATA)


@pytest.fixture(scope="module")
def text(several):
    return render_alignment(several, EVIL)


def test_errors_are_kept_for_each_place_and_step(several):
    table = several.errors
    stages = ["input", "layer", "loss", "gradient", "update", "weights", "statistics", "slots"]
    assert list(table.strips()) == [*stages, "rate", "metrics", "validation"]
    assert table.error.shape == table.allowed.shape == (len(table.places), several.steps)
    rows = list(table)
    assert len(rows) == len(table) < several.compared  # places are compared again after a mend
    assert [row.step for row in rows] == sorted(row.step for row in rows)
    assert {row.step for row in rows if row.stage == "metrics"} == {3, 6, 7}  # ends of epochs


def test_errors_are_those_before_mending(several):
    at = {(row.step, row.stage, row.where): row for row in several.errors}
    first = several.first
    assert at[1, "layer", "bn"].error == first.error
    assert at[1, "layer", "bn"].allowed == first.allowed
    for each in several.differences:
        row = at[each.step, each.stage, each.where]
        assert row.error / row.allowed >= each.error / each.allowed > 1
    later = [r for r in several.errors if r.step not in {each.step for each in several.differences}]
    assert later
    assert all(row.error <= row.allowed for row in later)


def test_json_has_the_errors(several):
    made = json.loads(several.to_json())
    rows = {(each["stage"], each["where"]): each for each in made["errors"]}
    assert list(rows) == [tuple(place) for place in several.errors.places]
    row = rows["layer", "bn"]
    assert row["error"][0] == float(f"{several.first.error:.4g}")
    assert row["allowed"][0] == float(f"{several.first.allowed:.4g}")
    loss = rows["metrics", "loss"]["error"]
    assert [value is None for value in loss] == [True, True, False, True, True, False, False]
    assert made == several.to_dict()
    assert len(several.to_json().splitlines()) < 100 + len(rows)


def test_a_step_that_is_not_judged_is_named():
    table = ErrorTable((Spot("loss", "loss"),), np.full((1, 3), 0.5), np.ones((1, 3)))
    found = Alignment(3, 3, [], errors=table, unjudged=(2,), notes=["a kink"])
    page = Page(render_alignment(found))
    assert "Step 2: a part was not judged: see the notes" in page.text
    assert "a kink" in page.text


def test_the_page_is_whole_and_needs_nothing_else(text):
    page = Page(text)
    assert page.scripts == 1
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in page.links)
    assert not re.search(r"@import|url\(|<link|eval\(|https?://", text)
    assert "default-src 'none'" in text
    targets = {link[1:] for link in page.links if link[0] == "#"}
    assert targets <= set(page.ids)
    assert {"cause-1", "cause-2", "cause-3", "stage-update"} <= targets
    for address in re.findall(r'srcset="([^"]*)"', text):
        assert address.startswith("data:image/png;base64,")


def test_the_page_says_what_the_alignment_says(several, text):
    said = " ".join(Page(text).text.split())
    for cause in several.causes:
        for where, code in cause.codes:
            assert where.removeprefix("or ") in said
            assert " ".join(code.split()) in said
    assert several.verdict.partition(". ")[0] in said
    assert "batch-norm-defaults, a row of native-differences.md" in said
    assert "8, so 3 steps in an epoch" in said
    assert "avx" in said or "cores" in said or "1 core" in said  # the processor
    assert re.findall(r"<h2>(.*?)</h2>", text) == [
        *("Verdict", "Steps", "Causes", "Error over rounding"),
        *("How they were compared", "Environment"),
    ]


def test_cards_have_the_largest_effect_first_and_steps_lead_to_them(several, text):
    cards = re.findall(r'<article class="card" id="cause-(\d)">.*?</span> (.*?)</h3>', text, re.S)
    heads = [html.escape(cause.explanation.partition(". ")[0]) for cause in several.causes]
    assert [head.removesuffix(".") for _, head in cards] == [h.removesuffix(".") for h in heads]
    assert [number for number, _ in cards] == ["1", "2", "3"]
    bar = re.search(r'<div class="timeline".*?</div>', text, re.S)[0]
    kinds = re.findall(r'class="(begins|agrees|open)"', bar)
    begun = {each.step for each in several.differences}
    assert kinds == ["begins" if step in begun else "agrees" for step in range(1, 8)]
    first = [i for i, each in enumerate(several.differences, 1) if each.step == 1]
    assert f'href="#cause-{first[0]}" title="step 1: ' in bar


def test_values_of_a_map_are_those_of_the_errors(several, text):
    values = re.search(r'id="map-layer" data-steps="7" data-values="([^"]*)"', text)[1]
    rows = several.errors.rows_of("layer")
    wanted = np.stack([several.errors.error[rows], several.errors.allowed[rows]])
    made = np.frombuffer(base64.b64decode(values), "<i2").reshape(wanted.shape).astype(float)
    shown = np.where(made == -32768, 0.0, 10 ** (made / 1000))
    np.testing.assert_allclose(shown, wanted, rtol=2e-3)


def test_maps_mark_where_each_difference_was_found(several):
    maps = {each.key: each for each in maps_of(several.errors, [])}
    assert [row.name for row in maps["all"].rows][:2] == ["Inputs", "Outputs of layers"]
    assert [row.link for row in maps["all"].rows][:2] == ["stage-input", "stage-layer"]
    assert not maps["input"].differs
    assert maps["layer"].differs
    assert maps["layer"].remark == "2 of 3 differ"
    assert [row.differs for row in maps["layer"].rows] == [False, True, True]
    text = render_alignment(several, "")
    marks = re.findall(r'class="mark" href="#cause-(\d)".*?--row: (\d+); --step: (\d+)', text)
    at = {number: several.differences[int(number) - 1] for number, _, _ in marks}
    assert sorted(at) == ["1", "2", "3"]
    assert all(at[number].step == int(step) + 1 for number, _, step in marks)


def evil(explanation=f"{EVIL}. {EVIL} `{EVIL}`"):
    """An alignment all of whose texts are a script."""
    difference = Difference(1, "layer", EVIL, 1.0, 1e-6)
    cause = Cause(EVIL, explanation, EVIL, 0.1)
    table = ErrorTable((Spot("layer", EVIL),), np.ones((1, 2)), np.full((1, 2), 1e-6))
    named = {EVIL: EVIL}
    more = {"notes": [EVIL], "setting": named, "environment": named}
    return Alignment(2, 2, [(difference, cause)], errors=table, **more)


@pytest.mark.parametrize("explanation", [f"{EVIL}. {EVIL} `{EVIL}`", f"{EVIL}. {EVIL}`{EVIL}"])
def test_text_is_escaped(explanation):
    made = render_alignment(evil(explanation), EVIL)
    assert EVIL not in made
    assert Page(made).text.count(EVIL) >= 12
    assert EVIL not in evil()._repr_html_()
    assert "{{" not in made


def test_long_names_are_short_beside_a_map_and_whole_with_the_values():
    name = "block/" * 20 + "kernel"
    table = ErrorTable((Spot("update", name),), np.zeros((1, 2)), np.ones((1, 2)))
    (row,) = maps_of(table, [])[1].rows
    assert (row.name, len(row.short), row.short[-7:]) == (name, LONGEST, "/kernel")


def test_a_large_model_has_a_small_page():
    rng = np.random.default_rng(0)
    places = tuple(Spot("update", f"block_{i}/conv/kernel") for i in range(300))
    table = ErrorTable(places, 10 ** rng.uniform(-9, -5, (300, 200)), np.full((300, 200), 1e-6))
    made = render_alignment(Alignment(200, 60_000, [], errors=table))
    assert len(made) < 700_000
    assert made.count("<div") < 2000  # cells are no elements


CASES = {
    "agrees": (lambda: align(run(), run(), DATA, 2, 8), "They agree: 2 steps, all numbers equal."),
    "rule": (lambda: align(adam(), adam(epsilon=1e-8), SMALL, 2, 8), "adam-epsilon"),
    "unexplained": (
        lambda: align(run(), broken(net()), DATA, 2, 8),
        "alignment.reproduce(folder)",
    ),
    "nothing kept": (lambda: Alignment(1, 0, []), "They agree: 1 steps, all numbers equal."),
}


@pytest.mark.parametrize("name", CASES)
def test_pages_of_other_answers(tmp_path, name):
    make, said = CASES[name]
    found = make()
    assert db.write_report(found, tmp_path / "page.html", title="Two") == tmp_path / "page.html"
    page = Page((tmp_path / "page.html").read_text("utf-8"))
    assert said in " ".join(page.text.split())
    assert said in found._repr_html_() or "adam" in said
    assert ("Causes" in page.text) != found.agrees


def test_an_effect_that_was_not_measured_is_named():
    found = evil()
    (pair,) = found.found
    unmeasured = dataclasses.replace(pair[1], effect=float("nan"))
    made = dataclasses.replace(
        found, found=[(dataclasses.replace(pair[0], allowed=0.0), unmeasured)]
    )
    text = Page(render_alignment(made)).text
    assert "not measured" in text
    assert "1.0e+00, where none is allowed" in text


def test_the_page_of_an_alignment_takes_no_examples(several, tmp_path):
    with pytest.raises(ArgumentError, match="write_report: x, class_names: the page of an"):
        db.write_report(several, tmp_path / "a.html", DATA[0], class_names=["a"])
    with pytest.raises(DTypeError, match="or what align returns"):
        db.write_report(several.errors, tmp_path / "a.html")
    assert not list(Path(tmp_path).iterdir())


def test_a_notebook_shows_a_strip_for_each_stage(several):
    made = several._repr_html_()
    assert made.count('<img class="strip"') == len(several.errors.strips()) == 11
    assert made.count("data:image/png;base64,") == 11
    assert "<script" not in made


def test_colours_grow_darker_on_a_light_page_and_brighter_on_a_dark_one():
    def brightness(colour, page):
        *rgb, opacity = colour
        share = opacity / 255
        return float(np.dot([0.3, 0.59, 0.11], [share * c + (1 - share) * page for c in rgb]))

    light = [brightness(shade.light, 255) for shade in SHADES]
    dark = [brightness(shade.dark, 20) for shade in SHADES]
    for group in (slice(2, 6), slice(6, 10)):  # what rounding explains, and what it does not
        assert light[group] == sorted(light[group], reverse=True)
        assert dark[group] == sorted(dark[group])


def test_classes_of_errors():
    error = np.array([0.0, 0.005, 0.05, 0.5, 1.0, 1.5, 50.0, 5e3, 1e9, np.inf, np.nan, 1.0])
    allowed = np.array([1.0] * 10 + [np.nan, np.inf])
    assert classes(error, allowed).tolist() == [2, 3, 4, 5, 5, 6, 7, 8, 9, 9, 0, 1]
    assert picture(np.zeros((1, 1), int)) != picture(np.full((1, 1), 9))

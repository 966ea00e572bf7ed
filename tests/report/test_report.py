"""Comparing trainings: differences equal NumPy's, divergence is found, the page is complete."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.drawing.charts import COLOURS
from dnnbridge.report import Comparison, Recorder, Recording, compare, render, to_json
from dnnbridge.report.comparing import relative_losses
from dnnbridge.report.curves import FIRST_PAIR
from dnnbridge.report.wording import difference, explanation, start, verdict

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(48, 4)), RNG.integers(0, 3, 48)
STEPS, EPOCHS = 6, 3


def experiment(activation: str = "relu", rate: float = 0.1) -> db.Experiment:
    model = db.Sequential([db.Input((4,)), db.Dense(8, activation=activation), db.Dense(3)])
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    return db.Experiment(model, loss, db.SGD(rate), ["accuracy"])


class Disturb(db.Callback):
    """Add to one weight after an epoch, as a faulty backend would."""

    def __init__(self, amount: float) -> None:
        self.amount = amount

    def on_epoch_end(self, run: db.Run, epoch: int, logs: dict[str, float]) -> None:
        if epoch == 0:
            kernel = run.parameters()["dense/kernel"]
            kernel[0, 0] += self.amount
            run.set_parameters({"dense/kernel": kernel})


def record(folder: Path, name: str, spec: db.Experiment, *hooks: db.Callback) -> Recording:
    (folder / name).mkdir()
    run = db.compile(spec, backend="reference")
    recorder = Recorder(Recording(name, "cpu", {"numpy": "1"}, 0.5, folder=folder / name))
    given = {"validation_data": (X, Y), "on_nonfinite": "warn"}
    run.fit(X, Y, 8, EPOCHS, callbacks=[recorder, *hooks], **given)
    return Recording.read(folder / name)


def disturbed(folder: Path, amount: float, activation: str = "relu") -> Comparison:
    spec = experiment(activation)
    a, b = record(folder, "left", spec, Disturb(amount)), record(folder, "right", spec)
    return compare(spec, {"Data": "<made up>"}, [a, b])


def test_recording_holds_what_was_trained(tmp_path: Path) -> None:
    found = record(tmp_path, "only", experiment())
    run = db.compile(experiment(), backend="reference")
    history = run.fit(X, Y, 8, EPOCHS, validation_data=(X, Y))
    assert found.step_losses == history.step_losses
    assert [epoch["val_accuracy"] for epoch in found.epochs] == history.history["val_accuracy"]
    assert found.steps_per_epoch == STEPS
    assert all(epoch["seconds"] > 0 for epoch in found.epochs)
    for name, array in run.parameters().items():
        np.testing.assert_array_equal(found.parameters(EPOCHS)[name], array)


def test_equal_trainings_differ_by_nothing(tmp_path: Path) -> None:
    pair = disturbed(tmp_path, 0.0).pairs[0]
    assert pair.start == 0
    assert pair.parting is None
    assert all(e.parameters == e.absolute == e.step_loss == e.epoch_loss == 0 for e in pair.epochs)


def test_differences_are_what_numpy_says(tmp_path: Path) -> None:
    comparison = disturbed(tmp_path, 0.01)
    a, b = comparison.recordings
    last = comparison.pairs[0].epochs[-1]
    left, right = a.parameters(EPOCHS), b.parameters(EPOCHS)
    ratios = {n: np.linalg.norm(left[n] - right[n]) / np.linalg.norm(right[n]) for n in right}
    assert math.isclose(last.parameters, max(ratios.values()), rel_tol=1e-12)
    assert last.parameter == max(ratios, key=lambda name: ratios[name])
    assert math.isclose(last.absolute, max(np.abs(left[n] - right[n]).max() for n in right))
    losses = np.abs(np.array(a.step_losses) / np.array(b.step_losses) - 1)
    assert math.isclose(last.step_loss, losses.max(), rel_tol=1e-9)
    assert comparison.pairs[0].epochs[0].step_loss == 0


def test_parting_is_found_at_its_step(tmp_path: Path) -> None:
    comparison = disturbed(tmp_path, 0.5)
    parting = comparison.pairs[0].parting
    assert parting is not None
    assert (parting.step, parting.epoch, parting.before) == (STEPS + 1, 2, 0.0)
    assert f"step {STEPS + 1} (epoch 2)" in verdict(comparison.pairs[0])
    assert "Relu" in explanation(comparison)


def test_small_differences_are_no_parting(tmp_path: Path) -> None:
    comparison = disturbed(tmp_path, 1e-7)
    assert comparison.pairs[0].epochs[-1].step_loss > 0
    assert comparison.pairs[0].parting is None
    assert explanation(comparison) == ""


def test_smooth_models_are_not_excused_by_kinks(tmp_path: Path) -> None:
    assert "no kink" in explanation(disturbed(tmp_path, 0.5, "tanh"))


def test_other_starting_weights_are_said(tmp_path: Path) -> None:
    spec = experiment()
    other = spec.replace(seed=1)
    comparison = compare(spec, {}, [record(tmp_path, "a", spec), record(tmp_path, "b", other)])
    assert comparison.pairs[0].start > 0
    assert start(comparison).startswith("The initial weights differ")


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([2.0, 2.0], [2.0, 2.0], [0.0, 0.0]),
        ([1.0, 0.001], [1.0, 0.002], [0.0, 0.1]),
        ([math.nan, 1.0], [math.nan, 1.0], [0.0, 0.0]),
        ([math.nan, 1.0], [1.0, math.inf], [math.inf, math.inf]),
        ([0.0], [0.0], [0.0]),
    ],
    ids=["equal", "floor", "both-nan", "one-not-finite", "zero"],
)
def test_relative_losses(a: list[float], b: list[float], expected: list[float]) -> None:
    np.testing.assert_allclose(relative_losses(a, b), expected, rtol=1e-12)


def test_diverged_training_is_reported(tmp_path: Path) -> None:
    spec, wild = experiment(), experiment(rate=1e38)
    comparison = compare(spec, {}, [record(tmp_path, "a", wild), record(tmp_path, "b", spec)])
    assert comparison.pairs[0].epochs[-1].parameters == math.inf
    assert json.loads(to_json(comparison))["pairs"][0]["epochs"][-1]["parameters"] is None
    assert "inf" in render(comparison)


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (3.14e-7, "3.1e-07"), (math.inf, "inf")])
def test_difference_text(value: float, text: str) -> None:
    assert difference(value) == text


class Page(HTMLParser):
    """Checks nesting and collects ids, links and visible text."""

    VOID = ("meta", "br", "link", "img")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.handle_startendtag(tag, attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in {"src", "href", "xlink:href"}:
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    return render(disturbed(tmp_path_factory.mktemp("report"), 0.5), title="a <b> & c")


def test_page_is_well_formed_and_ids_are_unique(html: str) -> None:
    page = Page(html)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))


def test_page_needs_no_other_file(html: str) -> None:
    assert all(link.startswith("#") for link in Page(html).links)
    assert not re.search(r"@import|url\((?!#)|<script|<link|<img", html)


def test_links_within_the_page_have_targets(html: str) -> None:
    page = Page(html)
    targets = {link[1:] for link in page.links} | set(re.findall(r"url\(#([^)]+)\)", html))
    assert targets <= set(page.ids)


def test_curves_take_their_colours_from_the_page(html: str) -> None:
    svgs = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert len(svgs) == 3
    for svg in svgs:
        ElementTree.fromstring(svg)
        assert not re.search(r"#0[123]0[123]\d\d", svg)
    assert "var(--series-0, " in svgs[0]
    assert f"var(--series-{FIRST_PAIR}, " in svgs[1]
    defined = set(re.findall(r"--series-(\d): #", html))
    assert defined == {str(i) for i in range(len(COLOURS))}


def test_page_says_what_was_found(html: str) -> None:
    page = Page(html)
    for words in ("a <b> & c", "<made up>", "left – right", "activation='relu')", "step 7"):
        assert words in page.text


def test_json_has_every_number(tmp_path: Path) -> None:
    comparison = disturbed(tmp_path, 0.01)
    found: dict[str, Any] = json.loads(to_json(comparison))
    assert db.Experiment.from_dict(found["experiment"]) == comparison.experiment
    assert found["recordings"][0]["step_losses"] == comparison.recordings[0].step_losses
    assert found["pairs"][0]["epochs"][1]["absolute"] == comparison.pairs[0].epochs[1].absolute
    assert "folder" not in found["recordings"][0]

"""The page about a training: text is escaped, nothing is loaded from elsewhere, and what it lacks
is named."""

from __future__ import annotations

import html as entities
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from report.trained_runs import EVIL, RNG, Page, X, Y, make

import dnnbridge as db
from dnnbridge.errors import ArgumentError, DataError, DTypeError
from dnnbridge.report.trained import Trained
from dnnbridge.report.training_page import render_training


def test_the_page_is_whole_and_needs_nothing_else(text):
    page = Page(text)
    assert page.scripts == 1
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in page.links)
    assert not re.search(r"@import|url\((?!#)|<link|eval\(|https?://(?!www\.w3\.org/)", text)
    assert "default-src 'none'" in text
    targets = {link[1:] for link in page.links if link[0] == "#"}
    targets |= set(re.findall(r"url\(#([^)]+)\)", text))
    assert targets <= set(page.ids)


def test_text_is_escaped(text):
    assert EVIL not in text
    assert Page(text).text.count(EVIL) >= 3  # the title twice, a class


def test_the_page_has_all_parts(run, text):
    page = Page(text)
    titles = re.findall(r"<h2>(.*?)</h2>", text)
    assert titles == [
        *("Verdict", "Curves", "Learning rate", "Gradient flow", "Confusion matrix"),
        *("Worst examples", "What was trained", "Environment of this page"),
    ]
    assert "Warmup(schedule=CosineDecay(" in page.text
    assert "processor" in page.text
    spec = re.search(r"<pre>(.*?)</pre>", text, re.DOTALL)
    assert spec is not None
    assert db.Experiment.from_json(entities.unescape(spec[1])) == run.experiment
    found = run.evaluate(X, Y)
    assert f"60 examples: loss {found['loss']:.4g}, accuracy {found['accuracy']:.4g}" in page.text


def test_pictures_of_curves_are_valid_and_take_the_colours_of_the_page(text):
    svgs = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(svgs) == 4
    for svg in svgs:
        ElementTree.fromstring(svg)
        assert not re.search(r"#0[123]0[123]\d\d", svg)
        assert "var(--series-0, " in svg


def test_values_under_the_pointer_are_those_of_the_history(run, text):
    loss, accuracy, steps, rate = Page(text).points
    history = run.history.history
    assert loss["names"] == [f"epoch {i}" for i in range(1, 7)]
    for chart, name in ((loss, "loss"), (accuracy, "accuracy")):
        training, validation = chart["series"]
        assert training["values"] == [f"{value:.5g}" for value in history[name]]
        assert validation["values"] == [f"{value:.5g}" for value in history[f"val_{name}"]]
        assert [training["name"], validation["name"]] == ["training", "validation"]
    assert steps["series"][0]["values"] == [f"{v:.5g}" for v in run.history.step_losses]
    assert len(rate["names"]) == run.position.step == 18
    for chart in (loss, accuracy, steps, rate):
        assert chart["x"] == sorted(chart["x"])
        assert 0 <= chart["top"] < chart["bottom"] <= 1
        assert all(0 <= y <= 1 for series in chart["series"] for y in series["y"])


def test_points_lie_on_their_curves(text):
    """The first curve of the first chart has its marks where the script puts its dots."""
    svg = re.search(r"<svg.*?</svg>", text, re.DOTALL)
    assert svg is not None
    root = ElementTree.fromstring(svg[0])
    width, height = map(float, root.get("viewBox", "").split()[2:])
    ns = "{http://www.w3.org/2000/svg}"
    uses = [
        u
        for g in root.iter(f"{ns}g")
        for u in g.findall(f"{ns}use")
        if "#0969da" in str(u.get("style"))
    ]
    marks = [(float(u.get("x", "")) / width, float(u.get("y", "")) / height) for u in uses[:6]]
    points = Page(text).points[0]
    expected = zip(points["x"], points["series"][0]["y"], strict=True)
    np.testing.assert_allclose(marks, list(expected), atol=2e-3)


def test_the_run_stays_as_it_is(run):
    before, logs = run.state(), run.logs
    render_training(Trained.of(run), X, Y)
    assert run.logs == logs
    for name, array in run.state().items():
        np.testing.assert_array_equal(array, before[name])


def test_arguments_are_checked(run, tmp_path):
    path = tmp_path / "a.html"
    with pytest.raises(DTypeError, match="must be a run, the history"):
        db.write_report("run.safetensors", path)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="both examples and labels"):
        db.write_report(run, path, X)
    with pytest.raises(ArgumentError, match="need the weights of a run"):
        db.write_report(run.history, path, X, Y)
    with pytest.raises(ArgumentError, match="must be a list of texts"):
        db.write_report(run, path, X, Y, class_names="abc")
    with pytest.raises(DataError, match="a row per example"):
        db.write_report(run, path, X, Y, pictures=X[:5])
    with pytest.raises(DataError):
        db.write_report(run, tmp_path / "none" / "a.html")
    with pytest.raises(DataError):
        db.write_report(run, path, X[:, :5], Y)
    assert not list(tmp_path.iterdir())


def test_a_run_that_diverged_has_a_page():
    model = db.Sequential([db.Input((6, 6)), db.Flatten(), db.Dense(2)])
    run = db.compile(db.Experiment(model, "mse", db.SGD(1e38)), "reference")
    labels = X[:, 0, :2]
    run.fit(X, labels, batch_size=10, epochs=5, verbose=0, on_nonfinite="warn")
    page = Page(render_training(Trained.of(run), X, labels))
    assert "The loss is not finite in epoch" in page.text
    assert "Zero or not finite" in page.text


def test_states_of_layers_stay_as_they_are():
    model = db.Sequential([db.Input((4, 2), batch_size=5), db.LSTM(3, stateful=True), db.Dense(1)])
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    x, y = RNG.normal(size=(10, 4, 2)), RNG.normal(size=(10, 1))
    run.fit(x, y, epochs=1, verbose=0)
    before = run.state()
    render_training(Trained.of(run), x, y)
    for name, array in run.state().items():
        np.testing.assert_array_equal(array, before[name])


def test_logged_counts_are_shown_without_examples():
    run = make(metrics=[db.ConfusionMatrix()])
    run.fit(X, Y, epochs=1, verbose=0, validation_data=(X, Y))
    text = render_training(Trained.of(run))
    assert "<h3>val_confusion_matrix</h3>" in text
    assert f"{np.trace(np.array(run.logs[-1]['val_confusion_matrix'])):g} of 60 are right" in text


def test_the_page_takes_images_for_vectors(tmp_path):
    model = db.Sequential([db.Input((36,)), db.Dense(3, activation="softmax")])
    run = db.compile(db.Experiment(model, "sparse_categorical_crossentropy", "sgd"), "reference")
    path: Path = db.write_report(run, tmp_path / "a.html", X.reshape(60, 36), Y, pictures=X)
    assert path.read_text("utf-8").count("<img src=") == 12
    db.write_report(run, path, X.reshape(60, 36), Y)
    assert "(36 numbers)" in path.read_text("utf-8")

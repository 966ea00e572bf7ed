"""Drawings, tables and data frames of a history; what notebooks show is escaped and complete."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ArgumentError, PackageNotInstalledError
from dnnbridge.training import history_charts

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int32)
EVIL = "<script>alert('&')</script>"


def make(**changes) -> db.Run:
    model = db.Sequential([db.Input((3,)), db.Dense(5, "tanh"), db.Dense(2)])
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    experiment = db.Experiment(model, loss, db.SGD(0.5), ["accuracy", db.ConfusionMatrix()])
    return db.compile(experiment.replace(**changes), "reference")


@pytest.fixture(scope="module")
def run() -> db.Run:
    made = make()
    made.fit(X, Y, epochs=9, validation_split=0.25, validation_freq=3, verbose=0)
    return made


def numbers_of(*pairs: tuple[float, float]) -> db.History:
    history = db.History()
    for epoch, (loss, validation) in enumerate(pairs):
        history.record(epoch, {"loss": loss, "val_loss": validation})
    return history


def texts(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)
    return [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text")]


class Tags(HTMLParser):
    """Checks nesting; collects tags and ids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.handle_startendtag(tag, attrs)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_each_metric_has_a_chart_with_its_curves(run):
    found = history_charts.panels(run.logs)
    assert [panel.title for panel in found] == ["loss", "accuracy"]
    training, validation = found[0].curves
    assert list(training.x) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert list(validation.x) == [3, 6, 9]
    assert list(validation.y) == run.history.history["val_loss"]
    assert list(training.y) == run.history.history["loss"]


def test_a_drawing_names_metrics_and_curves(run, tmp_path):
    drawing = run.history.plot(path=tmp_path / "history.svg")
    assert (tmp_path / "history.svg").read_text() == drawing.svg
    found = texts(drawing.svg)
    assert {"loss", "accuracy", "training", "validation", "epoch"} <= set(found)
    assert "confusion_matrix" not in found
    assert "accuracy" not in texts(run.history.plot("loss").svg)
    assert "accuracy" in texts(run.history.plot(["loss", "val_accuracy"]).svg)


@pytest.mark.parametrize(
    ("pairs", "scale"),
    [([(1000.0, 900.0), (1.0, 1.0)], "log"), ([(3.0, 2.0), (1.0, 1.0)], "linear")],
    ids=["decades", "near"],
)
def test_a_chart_has_a_log_scale_where_values_span_decades(pairs, scale):
    from dnnbridge.drawing.charts import style
    from dnnbridge.drawing.panels import figure_of

    with style():
        (axes,) = figure_of(history_charts.panels(numbers_of(*pairs).rows())).axes
    assert axes.get_yscale() == scale


def test_one_epoch_is_one_tick():
    from dnnbridge.drawing.charts import style
    from dnnbridge.drawing.panels import figure_of

    with style():
        (axes,) = figure_of(history_charts.panels(numbers_of((1.0, 2.0)).rows())).axes
        low, high = axes.get_xlim()
        assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [1.0]


def test_infinite_losses_are_gaps():
    history = numbers_of((1.0, 2.0), (float("inf"), float("nan")), (0.5, 1e300))
    assert "<svg" in history.plot().svg


def test_an_unknown_metric_is_named(run):
    with pytest.raises(ArgumentError, match="no epoch has such a metric, got 'acuracy'"):
        run.history.plot("acuracy")


def test_a_metric_that_is_no_curve_is_named(run):
    with pytest.raises(ArgumentError, match=r"several numbers in each epoch.*'confusion_matrix'"):
        run.history.plot(["loss", "confusion_matrix"])


def test_nothing_is_drawn_of_an_empty_history():
    with pytest.raises(ArgumentError, match="no epoch has been trained"):
        db.History().plot()
    assert "no epoch has been finished" in db.History()._repr_html_()


def test_trainings_are_compared_by_their_labels(run, tmp_path):
    other = make(optimizer="adam")
    other.fit(X, Y, epochs=4, verbose=0)
    drawing = run.history.compare(other.history, labels=["SGD", EVIL], path=tmp_path / "a.svg")
    assert {"SGD", EVIL, "loss"} <= set(texts(drawing.svg))
    assert "<script" not in drawing.svg
    assert (tmp_path / "a.svg").exists()
    rows = {"a": run.logs, "b": other.logs}
    panel = history_charts.compared(rows, "accuracy")
    assert [list(curve.y) for curve in panel.curves] == [
        run.history.history["accuracy"],
        other.history.history["accuracy"],
    ]
    with pytest.raises(ArgumentError, match=r"compare: 2: no epoch has such a metric"):
        run.history.compare(other.history, metric="val_loss")


@pytest.mark.parametrize("labels", [["a"], ["a", "a"], "ab"], ids=str)
def test_labels_are_checked(run, labels):
    with pytest.raises(ArgumentError, match="needs 2 different labels"):
        run.history.compare(run.history, labels=labels)


@pytest.mark.parametrize("other", ["run", {"loss": [1.0]}], ids=["run", "dictionary"])
def test_only_a_history_is_compared(run, other):
    with pytest.raises(ArgumentError, match=r"compare: others: needs what .* fit returned"):
        run.history.compare(run if other == "run" else other)


def test_a_data_frame_has_a_row_for_each_epoch(run):
    pytest.importorskip("pandas")
    frame = run.history.to_pandas()
    assert frame.index.name == "epoch"
    assert frame.index.tolist() == list(range(9))
    assert frame["loss"].tolist() == run.history.history["loss"]
    assert frame["val_loss"].dropna().tolist() == run.history.history["val_loss"]
    assert frame["confusion_matrix"][0] == run.history.history["confusion_matrix"][0]


def test_a_data_frame_without_pandas_says_what_to_install(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(PackageNotInstalledError, match="Run: pip install pandas"):
        run.history.to_pandas()


def test_notebooks_show_well_formed_parts(run):
    shown = {
        "history": run.history,
        "run": run,
        "experiment": run.experiment,
        "schedule": db.Warmup(db.CosineDecay(0.1, 50), 5),
        "summary": run.experiment.model.summary(),
    }
    pages = {name: each._repr_html_() for name, each in shown.items()}
    for name, html in pages.items():
        found = Tags(html)
        assert "script" not in found.tags, name
        assert name == "summary" or "svg" in found.tags, name
        assert len(found.ids) == len(set(found.ids)), name
    assert f"{run.logs[-1]['loss']:.4g}" in pages["history"]
    assert "reference on cpu" in pages["run"]
    assert "9 epochs, 9 steps" in pages["run"]
    assert "32 trained" in pages["run"]
    assert "Dense</td>" in pages["summary"]
    assert ">20<" in pages["summary"]
    assert "SparseCategoricalCrossentropy(from_logits=True)" in pages["experiment"]
    assert "Warmup(schedule=CosineDecay(" in pages["schedule"]


def test_two_charts_of_a_notebook_have_no_id_in_common(run):
    first, second = run.history.plot("loss"), run.history.plot("accuracy")
    assert set(Tags(first.html).ids).isdisjoint(Tags(second.html).ids)
    assert "<style" not in first.svg  # it would apply to the whole notebook
    assert first._repr_html_() is not None
    assert run.experiment.model.plot()._repr_html_() is None  # it has colours of its own


def test_text_is_escaped():
    history = db.History()
    history.record(0, {"loss": 1.0, EVIL: 2.0})
    html = history._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_notebooks_need_no_matplotlib(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for each in (run, run.history, run.experiment, db.ExponentialDecay(0.1, 10, 0.5)):
        html = each._repr_html_()
        assert "<svg" not in html
        assert "<b class" in html


@pytest.mark.parametrize(
    "schedule",
    [
        db.ConstantSchedule(0.1),
        db.TableSchedule((0.1, 0.2, 0.3), after="error"),
        db.PerEpoch(db.ExponentialDecay(0.1, 2, 0.5), 7),
        db.Plateau(0.1),
        db.CyclicalLearningRate(0.01, 0.1, 20),
        db.PiecewiseConstant((10, 20), (0.1, 0.05, 0.01)),
    ],
    ids=lambda each: type(each).__name__,
)
def test_schedules_of_every_form_are_shown(schedule):
    html = schedule._repr_html_()
    assert "<svg" in html
    assert re.sub(r"<[^>]+>", "", html).count(type(schedule).__name__) >= 2


def test_groups_of_weights_have_a_curve_each():
    groups = db.ParameterGroups({"dense/*": db.SGD(db.CosineDecay(0.1, 50)), "*": db.SGD(0.01)})
    html = make(optimizer=groups).experiment._repr_html_()
    assert "CosineDecay(initial_learning" in html
    assert "ConstantSchedule(value=0.01)" in html

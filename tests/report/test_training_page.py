"""The page about a training: its numbers are those of NumPy, its text is escaped, nothing is
loaded from elsewhere, and what it lacks is named."""

from __future__ import annotations

import base64
import html as entities
import io
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import dnnbridge as db
from dnnbridge.drawing.png import data_uri, picture_of, png
from dnnbridge.errors import ArgumentError, CheckpointError, DataError, DTypeError
from dnnbridge.losses.calling import losses_of
from dnnbridge.report.examining import confusion, examine
from dnnbridge.report.examples import CLASSES, table_of
from dnnbridge.report.gradients import gradient_flow
from dnnbridge.report.judging import judge
from dnnbridge.report.rates import rate_panel
from dnnbridge.report.trained import Trained, read_trained
from dnnbridge.report.training_page import render_training

RNG = np.random.default_rng(1)
X = RNG.normal(size=(60, 6, 6)).astype(np.float32)
Y = (X[:, 0, 0] > 0).astype(np.int32) + (X[:, 0, 1] > 0)
EVIL = "<script>alert('&')</script>"


class Page(HTMLParser):
    """Checks nesting; collects ids, links, images, scripts and visible text."""

    VOID = ("meta", "br", "link", "img")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.points: list[dict[str, Any]] = []
        self.scripts = 0
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        self.scripts += tag == "script"
        self.handle_startendtag(tag, attrs)

    def handle_startendtag(self, tag, attrs):
        named = dict(attrs)
        self.ids += [named["id"]] if "id" in named else []
        self.links += [named[key] for key in ("src", "href", "xlink:href") if key in named]
        if "data-points" in named:
            self.points.append(json.loads(named["data-points"]))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text += data


def make(optimizer: Any = None, **changes: Any) -> db.Run:
    model = db.Sequential([db.Input((6, 6)), db.Flatten(), db.Dense(8, "tanh"), db.Dense(3)])
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    rate = db.Warmup(db.CosineDecay(0.3, 30), 5)
    experiment = db.Experiment(model, loss, optimizer or db.SGD(rate), ["accuracy"])
    return db.compile(experiment.replace(**changes), "reference")


@pytest.fixture(scope="module")
def run() -> db.Run:
    made = make()
    made.fit(X, Y, batch_size=16, epochs=6, validation_split=0.25, verbose=0)
    return made


@pytest.fixture(scope="module")
def text(run: db.Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "page.html"
    names = ["none", "one", EVIL]
    assert db.write_report(run, path, X, Y, title=EVIL, class_names=names) == path
    return path.read_text("utf-8")


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


class Rates(db.Callback):
    every_steps = 1

    def __init__(self) -> None:
        self.rates: list[float] = []

    def on_steps_begin(self, run: db.Run, *_: Any) -> None:
        assert run.learning_rate is not None
        self.rates.append(run.learning_rate)


@pytest.mark.parametrize(
    "schedule",
    [
        db.Warmup(db.CosineDecay(0.3, 30), 5),
        db.Plateau(0.5, "val_loss", patience=1, min_delta=1.0),
        db.PerEpoch(db.ExponentialDecay(0.2, 1, 0.5), 3),
    ],
    ids=lambda each: type(each).__name__,
)
def test_the_rate_of_each_step_is_the_one_that_trained(schedule):
    run, seen = make(db.SGD(schedule)), Rates()
    run.fit(X, Y, 16, epochs=4, validation_data=(X, Y), verbose=0, callbacks=[seen])
    run.fit(X[:40], Y[:40], 16, epochs=2, validation_data=(X, Y), verbose=0, callbacks=[seen])
    panel, remark = rate_panel(run)
    assert panel is not None
    (curve,) = panel.curves
    assert list(curve.x) == list(range(1, len(seen.rates) + 1))
    np.testing.assert_array_equal(curve.y, seen.rates)
    assert remark == ""
    assert len(set(seen.rates)) > 2


@pytest.mark.parametrize(
    ("window", "updates"),
    [
        (db.Accumulation(2), [0, 0, 1, 2, 2, 3, 4, 4, 5]),
        (db.Accumulation(2, last="carry"), [0, 0, 1, 1, 2, 2, 3, 3, 4]),
    ],
    ids=["update", "carry"],
)
def test_accumulated_steps_have_the_rate_of_their_update(window, updates):
    """Epochs have three steps, so that a window of two ends with the epoch or goes on."""
    schedule = db.ExponentialDecay(0.1, 1, 0.5)
    run = make(db.SGD(schedule), accumulate=window)
    run.fit(X[:36], Y[:36], 12, epochs=3, verbose=0)
    panel, _ = rate_panel(run)
    assert panel is not None
    np.testing.assert_allclose(panel.curves[0].y, [0.1 * 0.5**k for k in updates], rtol=1e-12)


def test_a_changed_rate_is_said():
    run = make(db.SGD(0.1))
    run.fit(X, Y, epochs=1, verbose=0)
    run.set_learning_rate(0.025)
    assert "has changed the rate" in rate_panel(run)[1]
    assert "0.025" in rate_panel(run)[1]


def test_confused_classes_and_worst_examples_are_those_of_numpy(run, text):
    logits = run.predict(X).astype(np.float64)
    expected = np.zeros((3, 3))
    np.add.at(expected, (Y, logits.argmax(1)), 1)
    found = examine(run, X, Y)
    (name,) = found.objectives
    matrix = confusion(found.objectives[name], found.labels[name], found.predictions[name])
    np.testing.assert_array_equal(matrix, expected)
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    losses = -log_p[np.arange(60), Y]
    np.testing.assert_allclose(found.losses, losses, rtol=1e-6)
    rows = [int(n) for n in re.findall(r"loss [\d.e-]+, row (\d+)", text)]
    assert rows == np.argsort(-losses, kind="stable")[:12].tolist()
    for i in range(3):
        for j in range(3):
            assert expected[i, j] == 0 or f">{expected[i, j]:g}</td>" in text
    images = re.findall(r'<img src="([^"]+)"', text)
    assert images[0] == data_uri(picture_of(X[rows[0]]))


@pytest.mark.parametrize(
    ("loss", "scores"),
    [
        (db.BinaryCrossentropy(), [0.2, 0.5, 0.55, 0.9]),
        (db.BinaryCrossentropy(from_logits=True), [-2.0, 0.0, 0.4, 3.0]),
        (db.Hinge(), [-1.0, 0.0, 0.1, 2.0]),
    ],
    ids=["probabilities", "logits", "hinge"],
)
def test_two_classes_are_told_apart_by_one_number(loss, scores):
    model = db.Sequential([db.Input((1,)), db.Dense(1)])
    objective = db.Experiment(model, loss, "sgd").program().objectives["y"]
    labels = np.array([[0.0], [0.0], [1.0], [0.0]], np.float32)
    matrix = confusion(objective, labels, np.array(scores, np.float32)[:, None])
    assert matrix.tolist() == [[2, 1], [0, 1]]


def test_a_regression_has_no_confused_classes():
    objective = (
        db.Experiment(db.Sequential([db.Input((1,)), db.Dense(1)]), "mse", "sgd")
        .program()
        .objectives["y"]
    )
    assert confusion(objective, np.zeros((3, 1), np.float32), np.zeros((3, 1))) is None


def test_many_classes_are_a_list_of_confusions():
    matrix = np.eye(CLASSES + 1) * 5
    matrix[3, 7], matrix[2, 0] = 4, 9
    table = table_of(matrix)
    assert table.rows == ()
    assert table.pairs == (("2", "0", "9"), ("3", "7", "4"))
    assert table.right == "105 of 118 are right (89%)."


def test_gradients_are_those_of_the_equation():
    model = db.Sequential([db.Input((3,)), db.Dense(1)])
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    x, y = RNG.normal(size=(300, 3)), RNG.normal(size=(300, 1))
    flow = gradient_flow(run, x, y)
    assert flow is not None
    assert flow.examples == 256
    kernel = run.parameters()["dense/kernel"].astype(np.float64)
    inputs, labels = x[:256].astype(np.float32), y[:256].astype(np.float32)
    slope = 2 * inputs.T @ (inputs @ kernel - labels) / 256
    norm = np.linalg.norm(slope)
    assert flow.bars[0].name == "dense/kernel"
    assert float(flow.bars[0].norm) == pytest.approx(norm, rel=1e-3)
    assert float(flow.bars[0].ratio) == pytest.approx(norm / np.linalg.norm(kernel), rel=1e-3)


def test_steps_are_counted_over_the_life_of_the_run():
    run = make()
    for _ in range(2):
        run.fit(X, Y, 16, epochs=1, verbose=0)
    steps, rate = Page(render_training(Trained.of(run))).points[-2:]
    assert steps["names"] == [f"step {i}" for i in (5, 6, 7, 8)]
    assert rate["names"] == [f"step {i}" for i in range(1, 9)]


def test_the_run_stays_as_it_is(run):
    before, logs = run.state(), run.logs
    render_training(Trained.of(run), X, Y)
    assert run.logs == logs
    for name, array in run.state().items():
        np.testing.assert_array_equal(array, before[name])


def rows_of(*losses: tuple[float, float]) -> list[dict[str, Any]]:
    return [{"epoch": i, "loss": a, "val_loss": b} for i, (a, b) in enumerate(losses)]


def alone(*losses: float) -> list[dict[str, Any]]:
    return [{"epoch": i, "loss": loss} for i, loss in enumerate(losses)]


@pytest.mark.parametrize(
    ("rows", "title", "good"),
    [
        (rows_of((3, 3), (2, 2), (1, 1)), "The model still improves", True),
        (rows_of((3, 3), (2, 2), (1, 2.5), (0.5, 3)), "The model overfits since epoch 2", False),
        (rows_of((3, 3), (2, 2), (2, 2.5), (4, 3)), "The model gets worse since epoch 2", False),
        (rows_of((3, 3), (2, 2), (2, 2.01), (1.9, 2.02)), "The training has settled", True),
        (rows_of((3, 3), (math.inf, 2)), "The loss is not finite in epoch 2", False),
        (rows_of((3, 3)), "One epoch", None),
        ([], "The loss is not known", None),
        (alone(3.0, 2.0, 1.0), "The training loss still falls", None),
        (alone(3.0, 1.0, 0.995), "The training loss has settled", None),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_the_verdict(rows, title, good):
    found = judge(rows)
    assert (found.title, found.good) == (title, good)


def test_the_verdict_names_the_best_metric():
    rows = [{"epoch": i, "loss": 1.0, "accuracy": a} for i, a in enumerate((0.5, 0.9, 0.7))]
    assert "Best accuracy: 0.9, in epoch 2." in judge(rows).text
    assert "Best accuracy: 0.5, in epoch 1." in judge(rows, {"accuracy": "min"}).text


def test_a_history_has_curves_alone(run, tmp_path):
    db.write_report(run.history, tmp_path / "a.html")
    page = Page((tmp_path / "a.html").read_text("utf-8"))
    assert len(page.points) == 3
    lacking = "Learning rate, Gradient flow, Confusion matrix, Worst examples, Spec"
    assert f"{lacking}: not in a history" in page.text


def test_a_checkpoint_gives_the_page_of_its_run(run, tmp_path):
    path = run.save(tmp_path / "run.safetensors")
    trained = read_trained(path, lambda each: db.load(each, "reference"))
    assert trained.rows == tuple(run.logs)
    assert trained.backend == "reference"
    page = Page(render_training(trained))
    assert "Gradient flow, Worst examples, Confusion matrix: give examples" in page.text
    rates = {key: Page(render_training(Trained.of(run))).points[-1][key] for key in ("x", "names")}
    assert {key: page.points[-1][key] for key in rates} == rates


@pytest.mark.parametrize("separator", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_a_csv_gives_the_curves(tmp_path, separator):
    path = tmp_path / "log.csv"
    run = make(metrics=["accuracy", db.ConfusionMatrix()])
    fit = {"validation_split": 0.25, "validation_freq": 2, "verbose": 0}
    run.fit(X, Y, epochs=4, callbacks=[db.CSVLogger(path, separator)], **fit)
    trained = read_trained(path)
    kept = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy")
    expected = [{k: v for k, v in row.items() if k in kept} for row in run.logs]
    assert [dict(row) for row in trained.rows] == expected
    assert trained.run is None


def test_rows_that_a_later_row_repeats_are_left_out(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss\n0,3.0\n1,2.0\n1,1.5\n2,1.0\n")
    trained = read_trained(path)
    assert [row["loss"] for row in trained.rows] == [3.0, 1.5, 1.0]
    assert "1 rows" in Page(render_training(trained)).text


@pytest.mark.parametrize(
    "text",
    ["", "epochs,loss\n0,1\n", "epoch,loss\n0\n", "epoch,loss\none,2\n", "\x00\xff,a\n"],
    ids=["empty", "no-epoch", "short", "no-number", "bytes"],
)
def test_another_csv_is_refused(tmp_path, text):
    path = tmp_path / "other.csv"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(DataError, match=r"other\.csv: is no CSV file of losses"):
        read_trained(path)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        read_trained(tmp_path / "no.csv")
    (tmp_path / "a.safetensors").write_bytes(b"nothing")
    with pytest.raises(CheckpointError):
        read_trained(tmp_path / "a.safetensors")


def test_arguments_are_checked(run, tmp_path):
    path = tmp_path / "a.html"
    with pytest.raises(DTypeError, match="must be a run or the history"):
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


def test_two_outputs_have_a_table_and_a_label_each():
    x = db.Input((6, 6))
    h = db.Dense(4, "tanh")(db.Flatten()(x))
    model = db.Model(x, [db.Dense(3, name="kind")(h), db.Dense(1, name="size")(h)])
    heads = [
        db.Head("kind", db.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]),
        db.Head("size", db.MeanSquaredError(), weight=0.5),
    ]
    run = db.compile(db.Experiment(model, heads, "adam"), "reference")
    labels = {"kind": Y, "size": X[:, 0, :1]}
    run.fit(X, labels, epochs=2, verbose=0)
    found = examine(run, X, labels)
    made = run.predict(X)
    own = losses_of(db.SparseCategoricalCrossentropy(from_logits=True), Y, made["kind"])
    expected = own + 0.5 * (made["size"][:, 0].astype(np.float64) - X[:, 0, 0]) ** 2
    np.testing.assert_allclose(found.losses, expected, rtol=1e-6)
    page = Page(render_training(Trained.of(run), X, labels))
    assert "Best kind_accuracy" in page.text
    assert "size: label" in page.text


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


@pytest.mark.parametrize(
    ("array", "mode"),
    [
        (RNG.integers(0, 256, (9, 5), np.uint8), "L"),
        (RNG.integers(0, 256, (4, 7, 3), np.uint8), "RGB"),
        (RNG.integers(0, 256, (4, 7, 4), np.uint8), "RGBA"),
    ],
    ids=["grey", "colour", "transparent"],
)
def test_a_picture_is_a_png_that_others_read(array, mode):
    picture = picture_of(array)
    assert picture is not None
    image = Image.open(io.BytesIO(png(picture)))
    assert image.mode == mode
    np.testing.assert_array_equal(np.asarray(image), array)
    assert base64.b64decode(data_uri(picture).partition(",")[2]) == png(picture)


@pytest.mark.parametrize(
    ("array", "least", "most"),
    [
        (np.linspace(0, 0.5, 16), 0, 128),
        (np.linspace(-1, 0, 16), 0, 128),
        (np.linspace(-3, 5, 16), 0, 255),
    ],
    ids=["from-0", "from-minus-1", "any"],
)
def test_numbers_become_shades(array, least, most):
    picture = picture_of(array.reshape(4, 4))
    assert picture is not None
    assert (int(picture.min()), int(picture.max())) == (least, most)


@pytest.mark.parametrize("shape", [(36,), (2, 9), (9, 9, 2), (4, 4, 4, 4)], ids=str)
def test_other_arrays_are_no_pictures(shape):
    assert picture_of(np.zeros(shape)) is None


def test_channels_may_come_first():
    picture = picture_of(np.zeros((3, 8, 9)))
    assert picture is not None
    assert picture.shape == (8, 9, 3)


def test_the_page_takes_images_for_vectors(tmp_path):
    model = db.Sequential([db.Input((36,)), db.Dense(3, activation="softmax")])
    run = db.compile(db.Experiment(model, "sparse_categorical_crossentropy", "sgd"), "reference")
    path: Path = db.write_report(run, tmp_path / "a.html", X.reshape(60, 36), Y, pictures=X)
    assert path.read_text("utf-8").count("<img src=") == 12
    db.write_report(run, path, X.reshape(60, 36), Y)
    assert "(36 numbers)" in path.read_text("utf-8")

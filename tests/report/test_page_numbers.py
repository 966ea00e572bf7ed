"""Numbers of the page about a training: those of NumPy, of formulas, and of the training itself."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from report.trained_runs import RNG, Page, X, Y, make

import dnnbridge as db
from dnnbridge.drawing.png import data_uri, picture_of
from dnnbridge.losses.calling import losses_of
from dnnbridge.report.examining import confusion, examine
from dnnbridge.report.examples import CLASSES, table_of
from dnnbridge.report.gradients import gradient_flow
from dnnbridge.report.rates import rate_panel
from dnnbridge.report.trained import Trained
from dnnbridge.report.training_page import render_training


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


def test_two_classes_have_their_names():
    model = db.Sequential([db.Input((1,)), db.Dense(1, "sigmoid")])
    run = db.compile(db.Experiment(model, "binary_crossentropy", "sgd"), "reference")
    run.set_weights({"dense/kernel": [[4.0]], "dense/bias": [0.0]})
    names = ["no", "yes"]
    x, y = [[1.0], [-1.0], [-0.5]], [[1.0], [0.0], [1.0]]
    page = Page(render_training(Trained.of(run), x, y, class_names=names))
    assert "label yes, predicted no (0.1192)" in page.text
    assert "Predictions above 0.5 are of class yes." in page.text
    assert "2 of 3 are right (67%)" in page.text


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


def test_steps_are_counted_over_the_life_of_the_run():
    run = make()
    for _ in range(2):
        run.fit(X, Y, 16, epochs=1, verbose=0)
    steps, rate = Page(render_training(Trained.of(run))).points[-2:]
    assert steps["names"] == [f"step {i}" for i in (5, 6, 7, 8)]
    assert rate["names"] == [f"step {i}" for i in range(1, 9)]

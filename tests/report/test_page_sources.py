"""What a history, a checkpoint or a CSV file tell the page about a training, and its verdict."""

from __future__ import annotations

import math
from typing import Any

import pytest
from report.trained_runs import Page, X, Y, make

import dnnbridge as db
from dnnbridge.errors import CheckpointError, DataError
from dnnbridge.report.judging import judge
from dnnbridge.report.trained import Trained, read_trained
from dnnbridge.report.training_page import render_training


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

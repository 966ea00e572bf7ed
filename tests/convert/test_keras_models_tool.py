"""The program that measures how models of Keras move."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("keras")
here = pytest.importorskip("keras_models.here")
in_keras = pytest.importorskip("keras_models.in_keras")
page = pytest.importorskip("keras_models.page")
parts = pytest.importorskip("keras_models.parts")
small = pytest.importorskip("keras_models.small")

TOLERANCE = 1e-5


def results(out, name):
    folder = out / name
    return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("measured")
    for part in ("keras", "reference", "tensorflow", "fit", "train-tensorflow"):
        parts.work(part, ["dense", "heads"], folder)
    return folder


@pytest.mark.parametrize("name", ["dense", "heads"])
def test_a_model_moves(name, out):
    found = results(out, name)
    assert "error" not in str(found)
    assert found["reference"]["keras to float64"] < 16 * found["reference"]["rounded"]
    assert found["tensorflow"]["to keras"] < TOLERANCE
    assert found["train-tensorflow"]["losses"] < TOLERANCE
    assert found["train-tensorflow"]["after"] < TOLERANCE
    assert found["reference"]["back"] is True


def test_the_page_has_a_row_for_each_model(out):
    text = page.page(out)
    assert "| `dense` | 2 |" in text
    assert "| `heads` | 6 |" in text
    assert "Conv2DTranspose" in text  # no model here uses it


def test_a_difference_that_rounding_does_not_explain_is_bold(out, tmp_path):
    folder = tmp_path / "dense"
    folder.mkdir()
    for part, found in results(out, "dense").items():
        (folder / f"{part}.json").write_text(json.dumps(found))
    (folder / "tensorflow.json").write_text('{"to keras": 0.01}')
    text = page.page(tmp_path)
    assert "**1.0e-02**" in text
    assert "`dense`, tensorflow: 1.0e-02, which rounding does not explain." in text


def test_an_error_in_a_model_is_a_result_and_others_go_on(out, tmp_path):
    (tmp_path / "dense").symlink_to(out / "dense")
    parts.work("tensorflow", ["missing", "dense"], tmp_path)
    assert "does not exist" in results(tmp_path, "missing")["tensorflow"]["error"]
    assert "to keras" in results(tmp_path, "dense")["tensorflow"]


def test_other_bytes_of_weights_are_seen(out):
    path = out / "dense" / "model.keras"
    import dnnbridge as db

    run = db.from_keras(path).compile("reference")
    assert here.returns(run, out / "dense", "again")
    weights = run.weights()
    name = next(iter(weights))
    weights[name] = np.nextafter(weights[name].astype("float32"), np.float32(9))
    run.set_weights(weights)
    assert not here.returns(run, out / "dense", "again")


def test_every_layer_that_can_be_read_is_in_a_model():
    made = (each.make() for each in small.SMALL.values())
    used = {kind for model in made for kind in in_keras.kinds(json.loads(model.to_json()))}
    assert page.unused(used) == []
    assert page.unused(used - {"Dense"}) == ["Dense"]


@pytest.mark.slow
def test_written_files_predict_without_tensorflow(tmp_path):
    """Each part runs in a process of its own, as the program runs it."""
    pytest.importorskip("mindspore")
    names = ["dense", "masks", "heads", "nested"]
    command = [sys.executable, "-m", "keras_models", *names, "--out", str(tmp_path)]
    parts_of = "keras,reference,command,plain"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [*command, "--parts", parts_of], env=environment, capture_output=True, text=True
    )
    assert not done.returncode, done.stderr
    for name in names:
        found = results(tmp_path, name)
        assert found["command"]["status"] == 0, found
        assert found["plain"]["to keras"] < TOLERANCE, found
        assert found["plain"]["loaded"] == []

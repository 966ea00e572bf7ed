"""A model of Keras as the frozen body of a new one: the page runs, with Keras' numbers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import dnnbridge as db

keras = pytest.importorskip("keras")

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "models-that-move.md"

RNG = np.random.default_rng(0)
X, Y = RNG.random((24, 32, 32, 3), dtype=np.float32), RNG.integers(0, 5, 24)


@pytest.fixture
def body(tmp_path):
    keras.utils.set_random_seed(0)
    layers = keras.layers
    images = keras.Input((32, 32, 3))
    found = layers.Conv2D(6, 5, strides=4, activation="relu", name="first")(images)
    found = layers.BatchNormalization(name="norm")(found)
    model = keras.Model(images, layers.GlobalAveragePooling2D()(found), name="body")
    model.get_layer("norm").set_weights([RNG.random(6) + 0.5 for _ in range(4)])
    model.save(tmp_path / "body.keras")
    return model


def test_the_page_runs(body, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DNNBRIDGE_BACKEND", "reference")
    (block,) = re.findall(r"```python\n(body = .*?)```", PAGE.read_text("utf-8"), re.S)
    names = {"db": db, "x": X, "y": Y}
    exec(compile(block, PAGE.name, "exec"), names)
    run, read = names["run"], names["body"]
    assert run.experiment.frozen == ()
    assert not np.array_equal(run.parameters()["body/first/kernel"], read.weights["first/kernel"])


@pytest.mark.parametrize("frozen", [True, False], ids=["frozen", "all"])
def test_the_numbers_are_those_of_keras(body, frozen):
    body.trainable = not frozen
    theirs = keras.Sequential([keras.Input((32, 32, 3)), body, keras.layers.Dense(5, "softmax")])
    theirs.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    read = db.from_keras(body)
    layers = [db.Input((32, 32, 3)), read.model.replace(name="body"), db.Dense(5, "softmax")]
    patterns = ["body/*"] if frozen else []
    loss, adam = "sparse_categorical_crossentropy", db.Adam(0.01)
    run = db.compile(db.Experiment(db.Sequential(layers), loss, adam, frozen=patterns), "reference")
    head = dict(zip(("dense/kernel", "dense/bias"), theirs.layers[-1].get_weights(), strict=True))
    run.set_parameters({**{f"body/{n}": a for n, a in read.weights.items()}, **head})
    np.testing.assert_allclose(run.predict(X), theirs.predict(X, verbose=0), rtol=1e-5)
    theirs.fit(X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0)
    run.fit(X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0)
    np.testing.assert_allclose(run.predict(X), theirs.predict(X, verbose=0), rtol=2e-4)
    kept = np.array_equal(run.parameters()["body/norm/gamma"], read.weights["norm/gamma"])
    assert kept == frozen

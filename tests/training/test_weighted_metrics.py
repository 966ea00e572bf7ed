"""Metrics that use sample weights, over epochs of batches of different sizes."""

from __future__ import annotations

import json

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import SpecError

RNG = np.random.default_rng(5)
X = RNG.normal(size=(11, 4))
YES = (RNG.random((11, 2)) < 0.5) * 1.0
W = RNG.random(11) * 3.0
ALL = [
    *("mse", "binary_accuracy", "precision", db.AUC(30), db.F1Score(), db.R2Score()),
    *("rmse", db.TruePositives([0.4, 0.6]), db.BinaryIoU(), db.PrecisionAtRecall(0.5)),
]


def net():
    return db.Sequential([db.Input((4,)), db.Dense(2, "sigmoid")])


def run(backend="reference", **fields) -> db.Run:
    given = {"model": net(), "loss": "binary_crossentropy", "optimizer": db.SGD(0.3)} | fields
    return db.compile(db.Experiment(**given), backend)


def by_hand(run, metrics, x, y, w):
    """Return metrics of all predictions at once, in float64."""
    p = run.predict(x)
    return {m.label: m(y, p, w) for m in metrics}


@pytest.mark.parametrize("backend", ["reference", "tensorflow", "mindspore"])
def test_each_example_counts_by_its_weight_however_data_are_batched(backend):
    compiled = run(backend, metrics=ALL, weighted_metrics=ALL)
    metrics = compiled.experiment.metrics
    plain, weighted = (by_hand(compiled, metrics, X, YES, w) for w in (None, W))
    for size in (4, 11):
        found = compiled.evaluate(X, YES, size, sample_weight=W)
        for label, value in plain.items():
            np.testing.assert_allclose(found[label], value, rtol=3e-6)
            np.testing.assert_allclose(found[f"weighted_{label}"], weighted[label], rtol=3e-6)
    different = [k for k in plain if not np.allclose(plain[k], weighted[k], rtol=1e-3)]
    assert len(different) >= 8


def test_without_weights_they_are_plain():
    found = run(metrics=ALL, weighted_metrics=ALL).evaluate(X, YES, 4)
    for label, value in found.items():
        if f"weighted_{label}" in found:
            assert found[f"weighted_{label}"] == pytest.approx(value, rel=1e-12)


def test_class_weights_count_in_training_and_not_in_validation():
    label = (X[:, :1] > 0) * 1.0
    model = db.Sequential([db.Input((4,)), db.Dense(1, "sigmoid")])
    still = {"model": model, "optimizer": db.SGD(0.0), "weighted_metrics": ["mae"]}
    compiled, factors = run(**still), {0: 0.2, 1: 3.0}
    history = compiled.fit(
        *(X, label, 4, 1), class_weight=factors, validation_data=(X, label, W), verbose=0
    ).history
    errors, weights = np.abs(compiled.predict(X) - label)[:, 0], np.where(label[:, 0] > 0, 3.0, 0.2)
    assert history["mean_absolute_error"] == [pytest.approx(np.average(errors, weights=weights))]
    expected = pytest.approx(np.average(errors, weights=W))
    assert history["val_mean_absolute_error"] == [expected]


@pytest.mark.parametrize("masked", [False, True])
def test_steps_count_by_their_weights(masked):
    words, y = RNG.integers(0, 5, (11, 6)), RNG.integers(0, 3, (11, 6))
    w = RNG.random((11, 6))
    model = db.Sequential(
        [db.Input((6,), "int32"), db.Embedding(5, 4, mask_zero=masked), db.Dense(3, "softmax")]
    )
    loss = db.TimeDistributedLoss(db.SparseCategoricalCrossentropy())
    metrics = ["accuracy", db.Precision(None), db.ConfusionMatrix(), db.Perplexity()]
    compiled = run(model=model, loss=loss, weighted_metrics=metrics)
    found = compiled.evaluate(words, y, 4, sample_weight=w)
    real = w * (words > 0) if masked else w
    p = compiled.predict(words)
    for metric in compiled.experiment.weighted_metrics:
        flat = metric(y.reshape(-1), p.reshape(-1, 3), real.reshape(-1))
        np.testing.assert_allclose(found[metric.label], flat, rtol=1e-6, err_msg=metric.label)


def test_one_weight_per_example_with_a_mask_counts_for_its_real_steps():
    words, y = RNG.integers(0, 5, (11, 6)), RNG.integers(0, 3, (11, 6))
    model = db.Sequential(
        [db.Input((6,), "int32"), db.Embedding(5, 4, mask_zero=True), db.Dense(3, "softmax")]
    )
    loss = db.SparseCategoricalCrossentropy()
    compiled = run(model=model, loss=loss, weighted_metrics=["accuracy"])
    found = compiled.evaluate(words, y, 4, sample_weight=W)["accuracy"]
    hits = compiled.predict(words).argmax(-1) == y
    assert found == pytest.approx(np.average(hits, weights=W[:, None] * (words > 0)), rel=1e-6)


def test_weights_that_are_all_zero_give_zero():
    compiled = run(weighted_metrics=["mse", "precision", "auc", "r2_score", "f1_score"])
    found = compiled.evaluate(X, YES, 4, sample_weight=np.zeros(11))
    assert set(found.values()) == {0.0}


def test_heads_have_their_own():
    x = db.Input((4,))
    model = db.Model(x, [db.Dense(2, name="a")(x), db.Dense(2, name="b")(x)])
    heads = [
        db.Head("a", "mse", metrics=["mae"], weighted_metrics=["mae"]),
        db.Head("b", "mse", weighted_metrics=["mae"]),
    ]
    compiled = run(model=model, loss=heads)
    y = {"a": YES, "b": YES}
    found = compiled.evaluate(X, y, 4, sample_weight={"a": W, "b": W[::-1]})
    p = dict(zip("ab", compiled.predict(X).values(), strict=True))
    error = {k: np.abs(v - YES).mean(1) for k, v in p.items()}
    assert found["a_mean_absolute_error"] == pytest.approx(error["a"].mean(), rel=1e-6)
    assert found["a_weighted_mean_absolute_error"] == pytest.approx(
        np.average(error["a"], weights=W), rel=1e-6
    )
    assert found["b_mean_absolute_error"] == pytest.approx(
        np.average(error["b"], weights=W[::-1]), rel=1e-6
    )
    with pytest.raises(SpecError, match="weighted_metrics: each Head has its own metrics"):
        run(model=model, loss=heads, weighted_metrics=["mae"])


def test_a_name_that_is_taken_twice_is_an_error():
    with pytest.raises(SpecError, match="two metrics have the same name, got weighted_auc"):
        run(metrics=["auc"], weighted_metrics=["auc", db.AUC(20)])
    named = run(metrics=["auc"], weighted_metrics=["auc", db.AUC(20, name="rough")])
    assert list(named.evaluate(X, YES)) == ["loss", "auc", "weighted_auc", "rough"]


def test_json_without_them_is_what_it_was():
    plain = run(metrics=["precision", "auc", "r2_score"]).experiment
    text = plain.to_json()
    assert "weighted_metrics" not in text
    kinds = {each["kind"]: set(each) for each in json.loads(text)["metrics"]}
    assert kinds == {
        "metric.Precision": {"kind", "name", "threshold", "average", "ignore_class"},
        "metric.AUC": {"kind", "name", "num_thresholds", "curve"},
        "metric.R2Score": {"kind", "name", "centre"},
    }
    weighted = plain.replace(weighted_metrics=["mae", db.Recall(thresholds=[0.2, 0.4])])
    assert json.loads(weighted.to_json())["weighted_metrics"][1]["thresholds"] == [0.2, 0.4]
    assert db.Experiment.from_json(weighted.to_json()) == weighted


def test_an_epoch_that_was_interrupted_goes_on(tmp_path):
    path = tmp_path / "run.safetensors"

    class Save(db.Callback):
        every_steps = 1

        def on_steps_end(self, run, losses):
            if run.position.batch == 2:
                run.save(path)

    fields = {"weighted_metrics": ["mae", db.AUC(10)], "metrics": ["mae"]}
    whole = run(**fields)
    wanted = whole.fit(X, YES, 4, 1, sample_weight=W, callbacks=[Save()], verbose=0).history
    rest = db.load(path, backend="reference")
    assert rest.position.batch == 2
    found = rest.fit(X, YES, 4, 1, sample_weight=W, verbose=0).history
    for label, values in wanted.items():
        assert found[label] == pytest.approx(values, rel=1e-9), label

"""Sample weights, class weights, reductions, and predictions that are drawn."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import DnnbridgeError

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(12, 4)), RNG.integers(0, 3, 12)
W = np.array([0.0, 1, 2, 0, 3, 1, 1, 2, 0, 1, 1, 2])
BACKENDS = ("tensorflow", "mindspore", "reference")


def run(backend="reference", **changes) -> db.Run:
    loss = db.SparseCategoricalCrossentropy(**{"from_logits": True} | changes)
    model = db.Sequential([db.Input((4,)), db.Dense(3)])
    return db.compile(db.Experiment(model, loss, db.SGD(0.5)), backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_weight_repeats_an_example(backend):
    """With "weighted_mean", weight 2 means an example occurs twice, weight 0 that it is missing."""
    weighted, repeated = run(backend, reduction="weighted_mean"), run(backend)
    often = np.repeat(np.arange(12), W.astype(int))
    weighted.fit(X, Y, 12, 3, sample_weight=W)
    repeated.fit(X[often], Y[often], len(often), 3, shuffle=False)
    for name, array in repeated.parameters().items():
        np.testing.assert_allclose(weighted.parameters()[name], array, atol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("batch_size", [12, 5])
def test_what_each_reduction_divides_by(backend, batch_size):
    losses = np.array([run().evaluate(X[i : i + 1], Y[i : i + 1])["loss"] for i in range(12)])
    found = {
        name: run(backend, reduction=name).evaluate(X, Y, batch_size, sample_weight=W)["loss"]
        for name in ("mean", "weighted_mean")
    }
    assert found["mean"] == pytest.approx((W * losses).sum() / 12, rel=1e-6)
    assert found["weighted_mean"] == pytest.approx((W * losses).sum() / W.sum(), rel=1e-6)
    summed = run(backend, reduction="sum")
    total = pytest.approx((W * losses).sum(), rel=1e-6)
    assert summed.evaluate(X, Y, batch_size, sample_weight=W)["loss"] == total
    assert summed.fit(X, Y, 12, sample_weight=W).step_losses[0] == total


def test_class_weights_multiply_sample_weights():
    factors = {0: 0.5, 2: 3.0}
    by_class = run().evaluate(X, Y, sample_weight=W * np.array([0.5, 1.0, 3.0])[Y])
    trained = run().fit(X, Y, 12, sample_weight=W, class_weight=factors, shuffle=False)
    assert trained.step_losses[0] == pytest.approx(by_class["loss"], rel=1e-7)
    listed = run().fit(X, Y, 12, sample_weight=W, class_weight=[0.5, 1.0, 3.0], shuffle=False)
    assert listed.step_losses == trained.step_losses


def test_class_weights_of_one_hot_rows():
    model = db.Sequential([db.Input((4,)), db.Dense(3, "softmax")])
    experiment = db.Experiment(model, db.CategoricalCrossentropy(), db.SGD(0.5))
    losses = [
        db.compile(experiment, "reference").fit(X, np.eye(3)[Y], 12, class_weight=w).step_losses[0]
        for w in (None, [2.0, 2.0, 2.0])
    ]
    assert losses[1] == pytest.approx(2 * losses[0])


def test_class_weights_of_yes_and_no():
    model = db.Sequential([db.Input((4,)), db.Dense(1, "sigmoid")])
    experiment = db.Experiment(model, db.BinaryCrossentropy(), db.SGD(0.5))
    y = (Y > 0).astype(float)[:, None]
    found, expected = (
        db.compile(experiment, "reference").fit(X, y, 12, shuffle=False, **given).step_losses
        for given in (
            {"class_weight": {1: 3.0}},
            {"sample_weight": np.where(Y > 0, 3.0, 1.0)},
        )
    )
    assert found == expected


IGNORING = [
    db.Accuracy(ignore_class=-1),
    db.TopKCategoricalAccuracy(1, ignore_class=-1),
    db.Precision(None, ignore_class=-1),
    db.Recall(None, "micro", ignore_class=-1),
    db.F1Score(None, ignore_class=-1),
    db.Perplexity(True, -1),
]


@pytest.mark.parametrize("metric", IGNORING, ids=lambda metric: metric.label)
def test_ignored_labels_count_in_no_metric(metric):
    model = db.Sequential([db.Input((4,)), db.Dense(3)])
    loss = db.SparseCategoricalCrossentropy(True, ignore_class=-1)
    some, kept = np.where(np.arange(12) % 3, Y, -1), np.arange(12) % 3 > 0
    compiled = db.compile(db.Experiment(model, loss, db.SGD(0.5), [metric]), "reference")
    assert compiled.evaluate(X, some) == pytest.approx(compiled.evaluate(X[kept], Y[kept]))
    with pytest.raises(DnnbridgeError, match="Give the metric ignore_class=-1"):
        db.Experiment(model, loss, db.SGD(0.5), [metric.replace(ignore_class=None)])


def test_metrics_do_not_use_weights():
    model = db.Sequential([db.Input((4,)), db.Dense(3)])
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    compiled = db.compile(db.Experiment(model, loss, db.SGD(0.5), ["accuracy"]), "reference")
    plain, weighted = compiled.evaluate(X, Y), compiled.evaluate(X, Y, sample_weight=W)
    assert plain["accuracy"] == weighted["accuracy"]
    assert plain["loss"] != weighted["loss"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_batch_without_labels_that_count_has_loss_zero(backend):
    ignoring = run(backend, ignore_class=-1)
    before = ignoring.parameters()
    history = ignoring.fit(X, np.full(12, -1), 5)
    assert history.history["loss"] == [0.0]
    for name, array in ignoring.parameters().items():
        np.testing.assert_array_equal(array, before[name])


BAD = {
    "negative": ({"sample_weight": -W}, "weights must be 0 or more"),
    "length": (
        {"sample_weight": W[:5]},
        "sample_weight and y: need the same, non-zero number of rows",
    ),
    "rank": ({"sample_weight": W[:, None]}, "sample_weight: needs shape (batch)"),
    "class": ({"class_weight": {3: 1.0}}, "classes must be from 0 to 2, got 3"),
    "class_negative": ({"class_weight": [1.0, -1.0, 1.0]}, "weights must be 0 or more"),
    "validation": ({"validation_data": (X,)}, "(inputs, labels) or (inputs, labels, weights)"),
}


@pytest.mark.parametrize(("given", "message"), BAD.values(), ids=BAD)
def test_bad_weights_are_refused(given, message):
    with pytest.raises(DnnbridgeError) as caught:
        run().fit(X, Y, **given)
    assert message in str(caught.value)


def dropping(backend: str) -> db.Run:
    model = db.Sequential([db.Input((4,)), db.Dense(30, "tanh"), db.Dropout(0.5), db.Dense(1)])
    return db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1), seed=1), backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_monte_carlo_dropout(backend):
    """Samples differ, are equal on every backend, and average to the prediction."""
    compiled, exact = dropping(backend), dropping("reference")
    samples = compiled.predict(X, 5, training=True, samples=40)
    assert samples.shape == (40, 12, 1)
    assert len(np.unique(samples[:, 0, 0])) == 40
    np.testing.assert_allclose(samples, exact.predict(X, 5, training=True, samples=40), atol=1e-6)
    np.testing.assert_array_equal(samples[:2], compiled.predict(X, 5, training=True, samples=2))
    np.testing.assert_array_equal(samples[0], compiled.predict(X, 5, training=True))
    spread = samples.std(0) / np.sqrt(40)
    assert (np.abs(samples.mean(0) - compiled.predict(X)) < 5 * spread).all()


@pytest.mark.parametrize(
    "layer",
    [
        db.LSTM(4, dropout=0.5),
        db.GRU(4, recurrent_dropout=0.5),
        db.Bidirectional(db.SimpleRNN(4, dropout=0.5)),
        db.SpatialDropout1D(0.5),
        db.AlphaDropout(0.5),
        db.GaussianNoise(0.5),
        db.GaussianDropout(0.5),
        db.Sequential([db.Input((3, 4)), db.Dropout(0.5)]),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_everything_that_draws_is_sampled(layer):
    model = db.Sequential([db.Input((3, 4)), layer, db.Flatten()])
    compiled = db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1)), "reference")
    x = RNG.normal(size=(2, 3, 4))
    assert (compiled.predict(x, training=True, samples=5).std(0) > 0).any()
    np.testing.assert_array_equal(compiled.predict(x), compiled.predict(x))


def test_normalisation_keeps_its_statistics_in_samples():
    model = db.Sequential([db.Input((4,)), db.BatchNormalization(), db.Dropout(0.5)])
    compiled = db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1)), "reference")
    samples = compiled.predict(X, training=True, samples=3)
    assert np.isin(np.round(samples / (2 * compiled.predict(X)), 6), (0.0, 1.0)).all()


def test_samples_need_training():
    with pytest.raises(DnnbridgeError, match="samples: is for predictions with training=True"):
        dropping("reference").predict(X, samples=3)

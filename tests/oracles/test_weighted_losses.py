"""Independent witnesses: losses that smooth, weight or ignore labels; areas under PR curves."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.witnesses import witness

import dnnbridge as db
from dnnbridge.errors import DataError, SpecError
from dnnbridge.testing.assertions import assert_close

RNG = np.random.default_rng(0)
LOGITS, LABEL = RNG.normal(0, 2, (40, 5)), RNG.integers(0, 5, 40)
SOME = np.where(RNG.random(40) < 0.3, -100, LABEL)
WEIGHTS = (0.5, 1.0, 2.0, 0.0, 1.5)
SAMPLES = RNG.random(40)


def loss_of(loss, labels, **given):
    """Return the loss of one batch: the model is the identity."""
    x = db.Input((5,))
    model = db.Model(x, db.Activation("linear")(x))
    run = db.compile(db.Experiment(model, loss, db.SGD(0.1)), "reference")
    return run.evaluate(LOGITS, labels, **given)["loss"]


MINDSPORE = {
    "plain": ({}, LABEL),
    "weight": ({"weight": WEIGHTS}, LABEL),
    "ignored": ({"ignore_index": 3}, LABEL),
    "ignored_default": ({}, SOME),
    "weight-ignored": ({"weight": WEIGHTS, "ignore_index": 1}, LABEL),
    "smoothed": ({"label_smoothing": 0.1}, LABEL),
    "smoothed-weight": ({"label_smoothing": 0.1, "weight": WEIGHTS}, LABEL),
    "smoothed-weight-ignored": (
        {"label_smoothing": 0.3, "weight": WEIGHTS, "ignore_index": 2},
        LABEL,
    ),
}


@witness("MindSpore", db.SparseCategoricalCrossentropy)
@pytest.mark.parametrize(("arguments", "label"), MINDSPORE.values(), ids=MINDSPORE)
def test_cross_entropy_of_mindspore(arguments, label):
    ms = pytest.importorskip("mindspore")
    given = dict(arguments)
    if "weight" in given:
        given["weight"] = ms.Tensor(np.array(given["weight"], np.float32))
    native = ms.nn.CrossEntropyLoss(**given)
    theirs = native(ms.Tensor(LOGITS, ms.float32), ms.Tensor(label, ms.int32))
    ours = loss_of(db.SparseCategoricalCrossentropy.mindspore(**arguments), label)
    assert ours == pytest.approx(float(theirs.asnumpy()), rel=2e-6)


KERAS = {
    "smoothed": (
        db.CategoricalCrossentropy(True, 0.2),
        "CategoricalCrossentropy",
        {"from_logits": True, "label_smoothing": 0.2},
        np.eye(5)[LABEL],
    ),
    "ignored": (
        db.SparseCategoricalCrossentropy(True, ignore_class=-100),
        "SparseCategoricalCrossentropy",
        {"from_logits": True, "ignore_class": -100},
        SOME,
    ),
    "plain": (
        db.SparseCategoricalCrossentropy(True),
        "SparseCategoricalCrossentropy",
        {"from_logits": True},
        LABEL,
    ),
}


@pytest.mark.parametrize(("ours", "name", "arguments", "label"), KERAS.values(), ids=KERAS)
def test_cross_entropy_of_keras(ours, name, arguments, label):
    keras = pytest.importorskip("keras")
    theirs = getattr(keras.losses, name)(**arguments)(label, LOGITS)
    assert loss_of(ours, label) == pytest.approx(float(theirs), rel=2e-6)


REDUCTIONS = {
    "mean": "sum_over_batch_size",
    "sum": "sum",
    "weighted_mean": "mean_with_sample_weight",
}


@pytest.mark.parametrize("reduction", ["mean", "weighted_mean"])
def test_reductions_of_keras(reduction):
    keras = pytest.importorskip("keras")
    native = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction=REDUCTIONS[reduction]
    )
    theirs = float(native(LABEL, LOGITS, sample_weight=SAMPLES))
    ours = db.SparseCategoricalCrossentropy(True, reduction=reduction)
    assert loss_of(ours, LABEL, sample_weight=SAMPLES) == pytest.approx(theirs, rel=2e-6)


YES = (RNG.random(300) < 0.3) * 1.0
SCORES = np.clip(RNG.normal(0.4 + 0.2 * YES, 0.25), 0.0, 1.0).astype(np.float32).astype(float)


def metric_of(metric, prediction, label, loss):
    x = db.Input(prediction.shape[1:])
    experiment = db.Experiment(db.Model(x, db.Activation("linear")(x)), loss, db.SGD(0.1), [metric])
    return db.compile(experiment, "reference").evaluate(prediction, label)[metric.label]


@pytest.mark.parametrize("thresholds", [5, 200])
def test_area_under_precision_and_recall(thresholds):
    keras = pytest.importorskip("keras")
    theirs = keras.metrics.AUC(thresholds, curve="PR")
    theirs.update_state(YES, SCORES.astype(np.float32))
    metric = db.AUC(thresholds, "PR")
    found = metric_of(metric, SCORES[:, None], YES[:, None], db.MeanSquaredError())
    assert found == pytest.approx(float(theirs.result()), rel=2e-6)


@witness("NumPy", db.ConfusionMatrix)
@pytest.mark.parametrize("normalize", [None, "true", "predicted", "all"])
def test_confusion_matrix(normalize):
    counts = np.zeros((5, 5))
    np.add.at(counts, (LABEL, LOGITS.argmax(1)), 1)
    whole = {"true": counts.sum(1, keepdims=True), "predicted": counts.sum(0), "all": 40.0}
    loss = db.SparseCategoricalCrossentropy(True)
    found = metric_of(db.ConfusionMatrix(normalize), LOGITS, LABEL, loss)
    np.testing.assert_allclose(found, counts / whole.get(normalize, 1.0), rtol=1e-12)


STEPS = RNG.normal(0, 2, (12, 4, 3))
STEP_LABEL = RNG.integers(0, 3, (12, 4))
STEP_LABEL[::3, 1:], STEP_LABEL[5] = -100, -100


@pytest.mark.parametrize("ends_with", ["logits", "softmax"])
def test_the_metric_of_a_loss_ignores_what_the_loss_ignores(ends_with):
    """Batches with different numbers of labels that are not ignored; one batch has none."""
    keras = pytest.importorskip("keras")
    x = db.Input((4, 3))
    model = db.Model(x, db.Activation("linear" if ends_with == "logits" else "softmax")(x))
    loss = db.SparseCategoricalCrossentropy(ends_with == "logits", ignore_class=-100)
    metrics = [loss, db.Perplexity(loss.from_logits, -100)]
    run = db.compile(db.Experiment(model, loss, db.SGD(0.1), metrics), "reference")
    found = run.evaluate(STEPS, STEP_LABEL, batch_size=5)
    native = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-100)
    wanted = float(native(STEP_LABEL, STEPS.astype(np.float32)))
    assert found == pytest.approx(
        {
            "loss": wanted,
            "sparse_categorical_crossentropy": wanted,
            "perplexity": np.exp(wanted),
        },
        rel=2e-6,
    )


OTHER_METRICS = {
    "none": (-100, db.SparseCategoricalCrossentropy(True)),
    "a class": (1, db.SparseCategoricalCrossentropy(True)),
    "another": (1, db.SparseCategoricalCrossentropy(True, ignore_class=2)),
}


@pytest.mark.parametrize(("ignored", "metric"), OTHER_METRICS.values(), ids=OTHER_METRICS)
def test_the_metric_of_a_loss_may_not_count_what_the_loss_ignores(ignored, metric):
    loss = db.SparseCategoricalCrossentropy(True, ignore_class=ignored)
    model = db.Sequential([db.Input((6,)), db.Dense(3)])
    with pytest.raises(SpecError, match=f"its loss ignore_class={ignored}"):
        db.Experiment(model, loss, db.SGD(0.1), [db.LossMetric(metric, name="other")])


STEP_LABELS = RNG.integers(0, 4, (10, 5))
STEP_INPUTS = RNG.normal(size=(10, 5, 3)).astype("f4")
STEP_WEIGHTS = (RNG.random((10, 5)) * (RNG.random((10, 5)) < 0.7)).astype("f4")


def of_steps(reduction="mean", backend="reference"):
    """Return a run whose loss takes a weight per step."""
    inner = db.SparseCategoricalCrossentropy(from_logits=True)
    loss = db.TimeDistributedLoss(inner, reduction=reduction)
    model = db.Sequential(
        [db.Input((5, 3)), db.LSTM(4, return_sequences=True), db.Dense(4, name="scores")]
    )
    return db.compile(db.Experiment(model, loss, db.SGD(0.05)), backend)


@witness("Keras", db.TimeDistributedLoss)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weights_of_steps_are_those_of_keras(reduction):
    keras = pytest.importorskip("keras")
    kind = keras.losses.SparseCategoricalCrossentropy
    loss, run = kind(from_logits=True, reduction=REDUCTIONS[reduction]), of_steps(reduction)
    theirs = db.to_keras(run)
    theirs.compile(keras.optimizers.SGD(0.05), loss, run_eagerly=True)
    given = {"batch_size": 5, "epochs": 2, "shuffle": False, "sample_weight": STEP_WEIGHTS}
    wanted = theirs.fit(STEP_INPUTS, STEP_LABELS, verbose=0, **given).history["loss"]
    found = run.fit(STEP_INPUTS, STEP_LABELS, **given)
    last = slice(-2, None)  # Keras reports a mean over batches, dnnbridge the mean of the epoch
    if reduction == "mean":
        np.testing.assert_allclose(found.history["loss"], wanted, rtol=2e-6)
    else:
        steps = [np.mean(found.step_losses[:2]), np.mean(found.step_losses[last])]
        np.testing.assert_allclose(steps, wanted, rtol=2e-6)
    assert_close(run.predict(STEP_INPUTS), theirs.predict(STEP_INPUTS, verbose=0), 5e-6, "after")
    evaluated = theirs.evaluate(STEP_INPUTS, STEP_LABELS, 10, verbose=0, sample_weight=STEP_WEIGHTS)
    own = run.evaluate(STEP_INPUTS, STEP_LABELS, sample_weight=STEP_WEIGHTS)["loss"]
    np.testing.assert_allclose(own, evaluated, rtol=2e-6)
    logits = run.predict(STEP_INPUTS)
    direct = run.experiment.loss(STEP_LABELS, logits, STEP_WEIGHTS)
    np.testing.assert_allclose(direct, float(loss(STEP_LABELS, logits, STEP_WEIGHTS)), rtol=2e-6)


@pytest.mark.parametrize("name", ["SparseCategoricalAccuracy", "MeanSquaredError"])
def test_a_metric_weighs_steps_as_keras_does(name):
    keras = pytest.importorskip("keras")
    draw = np.random.default_rng(1).random((10, 5, 4)).astype("f4")
    labels = draw[::-1] if name == "MeanSquaredError" else STEP_LABELS
    theirs = getattr(keras.metrics, name)()
    theirs.update_state(labels, draw, STEP_WEIGHTS)
    metric = db.LossMetric(db.MeanSquaredError()) if name.endswith("Error") else db.Accuracy()
    ours = metric(labels, draw, STEP_WEIGHTS)
    np.testing.assert_allclose(ours, float(theirs.result()), rtol=1e-6)


@pytest.mark.parametrize("backend", ["reference", "tensorflow", "mindspore"])
def test_a_training_with_weights_of_steps_goes_on(backend, tmp_path):
    """A short last batch; saved after an epoch and loaded; the last losses are the reference's."""
    if backend != "reference":
        pytest.importorskip(backend)
    given = {"batch_size": 4, "sample_weight": STEP_WEIGHTS}
    whole, run = of_steps(), of_steps(backend=backend)
    wanted = whole.fit(STEP_INPUTS, STEP_LABELS, epochs=2, **given).history["loss"]
    run.fit(STEP_INPUTS, STEP_LABELS, epochs=1, **given)
    run.save(tmp_path / "run.safetensors")
    again = db.load(tmp_path / "run.safetensors", backend)
    found = again.fit(STEP_INPUTS, STEP_LABELS, epochs=1, **given).history["loss"]
    np.testing.assert_allclose(found[-1], wanted[-1], rtol=1e-5)


def test_weights_of_steps_need_such_a_loss():
    run = db.compile(
        of_steps().experiment.replace(loss=of_steps().experiment.loss.loss), "reference"
    )
    with pytest.raises(DataError, match=r"TimeDistributedLoss\(loss\)"):
        run.fit(STEP_INPUTS, STEP_LABELS, sample_weight=STEP_WEIGHTS)
    one = np.arange(10.0)
    same = of_steps().evaluate(STEP_INPUTS, STEP_LABELS, sample_weight=one)["loss"]
    wanted = run.evaluate(STEP_INPUTS, STEP_LABELS, sample_weight=one)["loss"]
    np.testing.assert_allclose(same, wanted, rtol=1e-12)

"""`initial_loss`, `overfit_small` and `generalisation`: expected values, and planted faults."""

import importlib
import math

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.diagnose.quieting import quiet
from dnnbridge.errors import DataError, DTypeError

nets = importlib.import_module("diagnose.nets")
LABELS, REAL, X, classifier, kept = nets.LABELS, nets.REAL, nets.X, nets.classifier, nets.kept
net, same = nets.net, nets.same

SMALL = db.RandomNormal(stddev=1e-3)
ONE_HOT = np.eye(3)[LABELS]


def initial(experiment, y=LABELS, **more):
    return db.diagnose.initial_loss(experiment, X, y, backend="reference", **more)


@pytest.mark.parametrize(
    ("loss", "units", "activation", "y", "expected"),
    [
        ("sparse_categorical_crossentropy", 3, "softmax", LABELS, math.log(3)),
        (db.SparseCategoricalCrossentropy(from_logits=True), 3, None, LABELS, math.log(3)),
        (db.CategoricalCrossentropy(label_smoothing=0.2), 3, "softmax", ONE_HOT, math.log(3)),
        ("kl_divergence", 3, "softmax", ONE_HOT, math.log(3)),
        ("binary_crossentropy", 1, "sigmoid", ONE_HOT[:, :1], math.log(2)),
        (db.BinaryCrossentropy(from_logits=True), 1, None, ONE_HOT[:, :1], math.log(2)),
        ("binary_focal_crossentropy", 1, "sigmoid", ONE_HOT[:, :1], math.log(2) / 4),
        ("hinge", 1, None, ONE_HOT[:, :1], 1.0),
        ("categorical_hinge", 3, None, ONE_HOT, 1.0),
    ],
    ids=[
        "sparse",
        "logits",
        "smoothed",
        "kl",
        "binary",
        "binary logits",
        "focal",
        "hinge",
        "margin",
    ],
)
def test_the_expected_loss_is_that_of_equal_probabilities(loss, units, activation, y, expected):
    last = db.Dense(units, activation, kernel_initializer=SMALL)
    found = initial(net(last, loss=loss), y)
    assert found.expected == pytest.approx(expected, rel=1e-5)
    assert found.loss == pytest.approx(expected, rel=1e-2)
    assert found.ok
    assert "without an opinion" in found.verdict


def test_class_weights_count_and_regression_has_no_expected_loss():
    loss = db.SparseCategoricalCrossentropy(class_weights=(2.0, 1.0, 1.0))
    last = db.Dense(3, "softmax", kernel_initializer=SMALL)
    found = initial(net(last, loss=loss))
    assert found.expected == pytest.approx(math.log(3) * (1 + np.mean(LABELS == 0)))
    assert found.ok
    unknown = initial(net(db.Dense(1)), REAL)
    assert (unknown.expected, unknown.ok) == (None, None)
    assert "no value is known" in unknown.verdict


def test_a_wrong_bias_is_named():
    run = db.compile(classifier(), "reference")
    run.set_parameters({"last/bias": [30.0, 0.0, -30.0]})
    found = db.diagnose.initial_loss(run, X, LABELS)
    assert not found.ok
    assert "sure of wrong classes" in found.verdict
    assert "bias of the last layer is wrong" in found.verdict


def test_large_weights_and_inputs_are_named():
    last = db.Dense(3, "softmax", kernel_initializer=db.RandomNormal(stddev=30.0))
    found = initial(classifier(last=last))
    assert not found.ok
    assert "weights or the inputs are too large" in found.verdict


def test_a_loss_that_is_too_low_and_one_after_training():
    run = db.compile(classifier(), "reference")
    run.set_parameters({"last/kernel": 10 * np.linalg.lstsq(X, ONE_HOT, rcond=None)[0]})
    low = db.diagnose.initial_loss(run, X, LABELS)
    assert not low.ok
    assert "knows labels before training" in low.verdict
    run = db.compile(classifier(), "reference")
    run.fit(X, LABELS, verbose=0)
    found = db.diagnose.initial_loss(run, X, LABELS)
    assert (found.step, found.ok) == (4, None)
    assert found.loss == pytest.approx(run.evaluate(X, LABELS)["loss"])


def test_penalties_are_left_out():
    last = db.Dense(3, "softmax", kernel_initializer=SMALL, kernel_regularizer=db.L2(1e5))
    found = initial(classifier(last=last))
    kernel = db.compile(classifier(last=last), "reference").weights()["dense/kernel"]
    assert found.penalty == pytest.approx(1e5 * np.sum(kernel**2), rel=1e-6)
    assert found.ok


def test_heads_add_up():
    x = db.Input((6,))
    small = {"kernel_initializer": SMALL}
    a, b = db.Dense(3, name="a", **small)(x), db.Dense(1, name="b", **small)(x)
    heads = [
        db.Head("a", db.SparseCategoricalCrossentropy(from_logits=True), weight=2.0),
        db.Head("b", db.BinaryCrossentropy(from_logits=True)),
    ]
    y = {"a": LABELS, "b": ONE_HOT[:, :1]}
    found = initial(db.Experiment(db.Model(x, [a, b]), heads, "sgd"), y)
    assert found.expected == pytest.approx(2 * math.log(3) + math.log(2))


def test_everything_that_hinders_is_turned_off():
    inner = db.Sequential([db.Input((2, 8)), db.LSTM(4, dropout=0.2, recurrent_dropout=0.1)])
    layers = [
        db.Dense(16, "relu", kernel_regularizer="l2", bias_constraint=db.MaxNorm(1.0), name="a"),
        db.Dropout(0.5, name="drop"),
        db.GaussianNoise(0.3),
        db.ActivityRegularization(l1=0.1),
        db.Reshape((2, 8)),
        inner,
    ]
    experiment = net(
        *layers,
        db.Dense(3, "softmax"),
        loss=db.CategoricalCrossentropy(label_smoothing=0.1),
        optimizer=db.AdamW(0.01),
        regularizers={"*/kernel": db.L2(0.1)},
        constraints={"a/kernel": db.MaxNorm(1.0)},
    )
    plain, changed = quiet(experiment)
    assert len(changed) == 11
    assert plain.optimizer == db.AdamW(0.01, weight_decay=None)
    assert plain.loss == db.CategoricalCrossentropy()
    assert (plain.regularizers, plain.constraints) == ((), ())
    assert not plain.program().randoms
    assert quiet(plain) == (plain, ())
    assert list(plain.program().parameters) == list(experiment.program().parameters)
    assert quiet(experiment, ("label smoothing",))[1] == (
        "CategoricalCrossentropy: label_smoothing 0.1",
    )


def overfit(experiment, x=X, y=LABELS, **more):
    more = {"steps": 300, "examples": 60, "backend": "reference"} | more
    return db.diagnose.overfit_small(experiment, x, y, **more)


def test_a_sound_model_learns_labels_by_heart_even_shuffled_ones():
    layers = db.Dense(64, "relu", kernel_regularizer=db.L2(1.0)), db.Dropout(0.5)
    shuffled = np.random.default_rng(3).permutation(LABELS)
    found = overfit(classifier(*layers, optimizer=db.Adam(0.02)), y=shuffled)
    assert found.ok
    assert found.loss <= found.target == pytest.approx(0.01 * found.losses[0], rel=0.3)
    assert found.changed == ("Dense: kernel_regularizer L2(l2=1.0)", "Dropout: rate 0.5")
    assert len(found.losses) < 300
    assert "nothing keeps it from learning" in found.verdict


def test_the_floor_of_probabilities_is_their_entropy():
    soft = np.full((120, 3), [0.6, 0.3, 0.1])
    last = db.Dense(3, "softmax")
    experiment = net(last, loss="categorical_crossentropy", optimizer=db.Adam(0.1))
    found = overfit(experiment, y=soft)
    assert found.floor == pytest.approx(
        -(0.6 * np.log(0.6) + 0.3 * np.log(0.3) + 0.1 * np.log(0.1))
    )
    assert found.ok


FAULTS = {
    "a frozen layer": (
        classifier(db.Dense(32, "relu", name="h"), frozen=["h/*", "last/*", "!last/bias"]),
        X,
        LABELS,
        "freezes 3 of 4 arrays of weights, in h and last",
    ),
    "a dead layer": (
        classifier(db.Dense(32, "relu", bias_initializer=db.Constant(-100.0), name="dead")),
        X,
        LABELS,
        "gradient of dead is 0",
    ),
    "contradicting labels": (
        classifier(db.Dense(32, "relu")),
        np.repeat(X[:30], 2, axis=0),
        np.tile([0, 1], 30),
        "60 of 60 examples have equal inputs and different labels",
    ),
    "constant inputs": (classifier(db.Dense(32)), np.ones((60, 6)), LABELS[:60], "equal inputs"),
    "large inputs": (
        classifier(db.Dense(8, "tanh"), optimizer=db.SGD(0.01)),
        1000 * X,
        LABELS,
        "scale them to about 1",
    ),
    "too low a rate": (
        classifier(db.Dense(64, "relu"), optimizer=db.SGD(1e-6)),
        X,
        LABELS,
        "the learning rate is too low",
    ),
    "too few weights": (
        net(db.Dense(1, "tanh"), db.Dense(1), optimizer=db.Adam(0.05)),
        X,
        np.random.default_rng(0).normal(size=(120, 1)),
        "9 weights for 60 examples",
    ),
    "too few steps": (
        classifier(db.Dense(64, "relu"), optimizer=db.Adam(1e-3)),
        X,
        LABELS,
        "still falls",
    ),
    "too high a rate": (
        net(db.Dense(64), db.Dense(1), optimizer=db.SGD(10.0)),
        X,
        REAL,
        "learning rate is too high",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named(name):
    experiment, x, y, text = FAULTS[name]
    with np.errstate(all="ignore"):
        found = overfit(experiment, x, y, steps=40)
    assert not found.ok
    assert text in found.verdict, found.verdict


def test_a_model_that_scales_its_inputs_is_not_told_to():
    experiment, x, y, text = FAULTS["large inputs"]
    first = db.Normalization().adapt(1000 * X)
    model = db.Sequential([db.Input((6,)), first, *experiment.model.layers[1:]])
    found = overfit(experiment.replace(model=model), x, y, steps=40)
    assert not found.ok
    assert text not in found.verdict


def test_a_run_that_has_diverged_is_not_said_to_learn():
    experiment = net(db.Dense(8), db.Dense(1), optimizer=db.SGD(50.0))
    run = db.compile(experiment, "reference")
    with np.errstate(all="ignore"):
        run.fit(10 * X, REAL, epochs=3, verbose=0)
        assert not all(np.isfinite(array).all() for array in run.weights().values())
        found = db.diagnose.overfit_small(run, X, REAL)
        start = db.diagnose.initial_loss(run, X, REAL)
        rates = db.diagnose.learning_rate_range(run, X, REAL)
    assert found.ok is False
    assert "does not learn" in found.verdict
    assert "infinite or NaN" in found.verdict
    assert f"after {run.position.step} steps" in start.verdict
    assert not rates.ok
    assert "before the sweep" in rates.verdict


def general(experiment, x=X, y=LABELS, **more):
    more = {"validation_split": 0.5, "backend": "reference", "epochs": 30} | more
    return db.diagnose.generalisation(experiment, x, y, **more)


def test_shuffled_labels_overfit():
    shuffled = np.random.default_rng(3).permutation(LABELS)
    experiment = classifier(db.Dense(64, "relu"), optimizer=db.Adam(0.02), metrics=["accuracy"])
    found = general(experiment, y=shuffled)
    assert found.overfits
    assert not found.ok
    assert found.best_epoch == int(np.argmin(found.val_loss)) + 1
    assert f"epoch {found.best_epoch}" in found.verdict
    history = found.history.history
    gap = np.subtract(history["val_accuracy"], history["accuracy"])
    np.testing.assert_allclose(found.gaps["accuracy"], gap)
    assert len(found.table()) == 30


@pytest.mark.parametrize(
    ("loss", "val_loss", "overfits", "carried"),
    [
        ([1.0, 0.1], [1.0, 0.4, 0.5], True, 1.5 / 1.9),
        ([1.0, 0.1], [1.0, 0.8, 0.8], True, 1.2 / 1.9),
        ([1.0, 0.1], [1.0, 0.3, 0.3], False, 1.7 / 1.9),
    ],
    ids=["rises", "lacks", "healthy"],
)
def test_the_two_signs_of_overfitting(loss, val_loss, overfits, carried):
    history = db.History()
    for epoch, (train, val) in enumerate(zip([1.5, *loss], val_loss, strict=True)):
        history.record(epoch, {"loss": train, "val_loss": val})
    found = db.diagnose.Generalisation(history, 2.0)
    assert found.overfits == overfits
    assert found.carried_over == pytest.approx(carried)
    assert found.best_epoch == 2


def test_a_healthy_training_generalises_and_a_short_one_still_learns():
    x = np.random.default_rng(0).normal(size=(600, 6))
    y = x @ nets.WEIGHTS
    experiment = net(db.Dense(3), optimizer=db.Adam(0.02))
    found = general(experiment, x, y, epochs=40)
    assert found.ok
    assert "It generalises" in found.verdict
    short = general(experiment, x, y, epochs=8)
    assert short.still_learning
    assert "Train for more epochs" in short.verdict


def test_a_training_that_does_not_learn_underfits():
    found = general(classifier(optimizer=db.SGD(1e-7)), epochs=3)
    assert not found.ok
    assert not found.learns
    assert "It underfits" in found.verdict


@pytest.mark.parametrize(
    "diagnose",
    [
        lambda run, x, y: db.diagnose.initial_loss(run, x, y),
        lambda run, x, y: db.diagnose.overfit_small(run, x, y, steps=3),
        lambda run, x, y: db.diagnose.generalisation(run, x, y, validation_split=0.2, epochs=2),
    ],
)
def test_a_run_stays_as_it_is_and_the_result_shows_itself(diagnose):
    run = db.compile(classifier(db.Dense(4), db.BatchNormalization(), db.Dropout(0.1)), "reference")
    run.fit(X, LABELS, epochs=2, verbose=0)
    before = kept(run)
    found = diagnose(run, X, LABELS)
    assert same(before, kept(run))
    assert str(found).count("\n") >= 2
    assert "<svg" in found._repr_html_()
    with pytest.raises(DataError):
        diagnose(run, X[:5], LABELS[:4])
    assert same(before, kept(run))


def test_wrong_subjects_are_explained():
    with pytest.raises(DTypeError, match="must be a Run or an Experiment"):
        db.diagnose.initial_loss("model", X, LABELS)
    with pytest.raises(DTypeError, match="must be a Run or an Experiment"):
        db.diagnose.overfit_small(None, X, LABELS)
    run = db.compile(classifier(), "reference")
    with pytest.raises(DataError, match="has its own backend"):
        db.diagnose.activations(run, X, backend="tensorflow")
    with pytest.raises(DataError, match="nothing to validate on"):
        db.diagnose.generalisation(run, X, LABELS)

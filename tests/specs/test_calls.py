"""Specs called on arrays, hooks of callbacks, and lists as rates."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

import dnnbridge as db
from dnnbridge.errors import ScheduleError, SpecError

ACTIVATIONS = {
    "softmax": (db.Softmax(), scipy.special.softmax),
    "log_softmax": (db.LogSoftmax(), scipy.special.log_softmax),
    "sigmoid": (db.Sigmoid(), scipy.special.expit),
    "tanh": (db.Tanh(), np.tanh),
    "relu": (db.ReLU(), lambda x: np.maximum(x, 0)),
    "gelu": (db.GELU(), lambda x: x * scipy.special.ndtr(x)),
    "prelu": (db.PReLU.mindspore(), lambda x: np.where(x > 0, x, 0.25 * x)),
}


@pytest.mark.parametrize("x", [[1, 2, 5, 3], [[1.0, -2.0], [0.5, 3.0]]], ids=["vector", "matrix"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_computes_in_float64(name, x):
    activation, witness = ACTIVATIONS[name]
    array = np.asarray(x, np.float64)
    expected = witness(array) if "softmax" not in name else witness(array, axis=-1)
    found = activation(x)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_an_activation_takes_a_place_in_a_model():
    x = db.Input((3,))
    model = db.Model(x, db.Softmax()(db.Dense(2)(x)))
    assert [node.name for node in model.nodes] == ["dense", "activation"]


HALVES = ([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]])
LOGITS = ([0, 1, 0, 0], [-18.6, 0.51, 2.94, -12.8])
PAIRS = ([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9])
HITS = ([0, 1, 1, 1], [1, 0, 1, 1])
KERAS = {
    "mse": (db.MeanSquaredError(), HALVES, None, 0.5),
    "mse-weighted": (db.MeanSquaredError(), HALVES, [0.7, 0.3], 0.25),
    "binary": (db.BinaryCrossentropy(from_logits=True), LOGITS, None, 0.8654579),
    "sum": (db.MeanSquaredError(reduction="sum"), HALVES, None, 1.0),
    "auc": (db.AUC(), PAIRS, None, 0.75),
    "precision": (db.Precision(), HITS, None, 2 / 3),
    "precision-weighted": (db.Precision(), HITS, [0, 0, 1, 0], 1.0),
    "recall-weighted": (db.Recall(), HITS, [0, 0, 1, 0], 1.0),
    "r2": (db.R2Score(), ([[1], [4], [3]], [[2], [4], [4]]), None, 0.57142854),
    "binary-accuracy": (
        db.BinaryAccuracy(),
        ([[1], [1], [0], [0]], [[0.98], [1], [0], [0.6]]),
        [1, 0, 0, 1],
        0.5,
    ),
}
"""Spec, arrays, weights, and what the documentation of the Keras class of this name prints."""


@pytest.mark.parametrize("name", KERAS)
def test_a_loss_or_metric_takes_labels_first_and_reduces_as_keras(name):
    spec, (y_true, y_pred), weights, expected = KERAS[name]
    assert spec(y_true, y_pred, sample_weight=weights) == pytest.approx(expected, rel=1e-6)


def test_a_loss_of_arrays_is_that_of_a_run():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 4)), rng.integers(0, 3, 7)
    w = rng.uniform(size=7)
    for reduction in ("mean", "sum", "weighted_mean"):
        loss = db.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction)
        model = db.Sequential([db.Input((4,)), db.Dense(3)])
        run = db.compile(db.Experiment(model, loss, "sgd", ["accuracy"]), "reference")
        x32, w32 = x.astype(np.float32), w.astype(np.float32)
        found = run.evaluate(x32, y, sample_weight=w32)
        assert loss(y, run.predict(x32), w32) == pytest.approx(found["loss"], rel=1e-6)
        assert db.Accuracy()(y, run.predict(x32)) == pytest.approx(found["accuracy"])


def test_a_sequence_is_one_example():
    y, p = np.array([[0, 1], [1, 1]]), np.array([[[0.5, 0.5], [0.1, 0.9]]] * 2)
    expected = np.mean([-np.log([0.5, 0.9]).mean(), -np.log([0.5, 0.9]).mean()])
    found = db.SparseCategoricalCrossentropy()(y, p)
    assert found == pytest.approx(expected, rel=1e-9)


def test_regularizers_constraints_and_initializers_compute_too():
    assert db.L1L2(0.1, 0.2)([1.0, -2.0]) == pytest.approx(0.3 + 1.0)
    np.testing.assert_allclose(db.UnitNorm()(np.full((4, 2), 3.0)), 0.5, rtol=1e-6)
    drawn = db.HeNormal()((50, 40), seed=3)
    assert np.array_equal(drawn, db.HeNormal()((50, 40), seed=3))
    assert drawn.std() == pytest.approx(np.sqrt(2 / 50), rel=0.1)
    assert "HeNormal" in repr(db.HeNormal())


HOOKS = {
    "test_begin": (
        "on_test_begin",
        lambda self, logs: None,
        "on_validation_begin(self, run, epoch)",
    ),
    "batch_end": ("on_train_batch_end", lambda self, batch, logs: None, "every_steps = 1"),
    "misspelt": ("on_epochs_end", lambda self, run: None, "Did you mean 'on_epoch_end'?"),
    "arguments": (
        "on_epoch_end",
        lambda self, epoch, logs=None: None,
        "def on_epoch_end(self, run, epoch, logs)",
    ),
}


@pytest.mark.parametrize("name", HOOKS)
def test_a_method_that_is_no_hook_is_refused_when_the_class_is_defined(name):
    hook, method, words = HOOKS[name]
    with pytest.raises(SpecError, match=rf"Mine\.{hook}: ") as caught:
        type("Mine", (db.Callback,), {hook: method})
    assert words in str(caught.value)


def test_other_methods_of_a_callback_are_its_own_affair():
    class Mine(db.Callback):
        only = 3

        def helper(self) -> None: ...

        def _on_something(self) -> None: ...

        def on_steps_end(self, *given) -> None: ...

    assert Mine().only == 3


RATES = db.exponential_decay_lr(0.1, 0.9, 6, 2, 1)
OPTIMIZERS = [
    cls
    for name in db.__all__
    if isinstance(cls := getattr(db, name), type)
    and issubclass(cls, db.AbstractOptimizer)
    and "learning_rate" in getattr(cls, "__dataclass_fields__", {})
]


@pytest.mark.parametrize("cls", [cls for cls in OPTIMIZERS if cls is not db.Rprop])
def test_a_list_is_a_rate_per_step_of_every_optimizer(cls):
    made = cls(learning_rate=RATES)
    assert [made.rate(step) for step in range(8)] == [*RATES, RATES[-1], RATES[-1]]
    assert made == cls(learning_rate=np.array(RATES)) == cls(learning_rate=db.TableSchedule(RATES))
    assert db.AbstractOptimizer.from_json(made.to_json()) == made


def test_a_list_is_a_rate_wherever_one_is_taken():
    assert db.PerEpoch([0.1, 0.2], 2).values(5) == [0.1, 0.1, 0.2, 0.2, 0.2]
    assert db.Warmup([0.1, 0.2], 1).values(3) == [0.0, 0.1, 0.2]
    assert db.SGD(0.1, momentum=[0.5, 0.9]).scalars(1)["momentum"] == 0.9
    assert db.DecoupledWeightDecay([0.1, 0.2]).factor(1, lambda step: 1.0) == 0.2
    assert db.SGD.mindspore(RATES).rate(2) == RATES[2]


def run_of(optimizer: db.AbstractOptimizer) -> db.Run:
    model = db.Sequential([db.Input((1,)), db.Dense(1, use_bias=False, kernel_initializer="ones")])
    return db.compile(db.Experiment(model, "mse", optimizer), "reference")


def test_training_by_a_list_moves_as_by_hand():
    run, w = run_of(db.SGD([0.1, 0.2])), 1.0
    run.fit(np.ones((1, 1)), np.zeros((1, 1)), epochs=4)
    for rate in (0.1, 0.2, 0.2, 0.2):
        w -= rate * 2 * w
    assert run.parameters()["dense/kernel"] == pytest.approx(w)


def test_after_its_end_a_list_may_be_an_error():
    optimizer = db.SGD(db.TableSchedule([0.1, 0.2], after="error"))
    assert db.SGD.from_json(optimizer.to_json()) == optimizer
    run = run_of(optimizer)
    run.fit(np.ones((1, 1)), np.zeros((1, 1)), epochs=2)
    with pytest.raises(ScheduleError, match="has only 2 values, got step 2"):
        run.fit(np.ones((1, 1)), np.zeros((1, 1)))
    assert run.position.step == 2

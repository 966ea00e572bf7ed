"""Independent witnesses of CTC: TensorFlow's own, Keras' own, and the sum over all paths."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from oracles.witnesses import witness

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.errors import DnnbridgeError
from dnnbridge.graph import BATCH, TensorType
from dnnbridge.testing.assertions import assert_close
from dnnbridge.testing.harness import equation

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 2, (4, 9, 5)).astype("f4")
LABELS = np.array([[2, 2, 1], [3, 1, -1], [1, -1, -1], [-1, -1, -1]])


def ours(loss, logits, labels):
    def write(scope, *values):
        return scope.call(loss, *values)

    types = [
        TensorType((BATCH, *logits.shape[1:])),
        TensorType((BATCH, *labels.shape[1:]), "int32"),
    ]
    built = equation(write, types, (logits, labels))
    results = built.run(load_backend("reference"))
    return results["value"], results["d/input_0"], built.feeds["weights"]


@witness("TensorFlow", db.CTC)
@pytest.mark.parametrize("blank", [0, 4])
def test_it_equals_that_of_tensorflow(blank):
    tf = pytest.importorskip("tensorflow")
    value, gradient, weights = ours(db.CTC(3, blank), LOGITS, LABELS)
    x = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(x)
        losses = tf.nn.ctc_loss(
            tf.constant(np.where(LABELS < 0, blank, LABELS), tf.int32),
            x,
            tf.constant((LABELS >= 0).sum(1), tf.int32),
            tf.fill([4], 9),
            logits_time_major=False,
            blank_index=blank,
        )
        total = tf.reduce_sum(losses * weights)
    assert_close(losses.numpy(), value, 5e-6, "value")
    assert_close(tape.gradient(total, x).numpy(), gradient, 1e-5, "gradient")


def test_it_equals_that_of_keras():
    keras = pytest.importorskip("keras")
    labels = np.maximum(LABELS, 0)
    value, _, _ = ours(db.CTC.keras(3), LOGITS, labels)
    theirs = keras.losses.CTC(reduction=None)(labels, LOGITS)
    assert_close(np.asarray(theirs), value, 5e-6, "value")


@witness("the sum over all paths", db.CTC)
def test_it_is_the_sum_over_all_paths():
    logits, labels = LOGITS[:, :4, :3], np.array([[2, 2], [1, 2], [1, -1], [-1, -1]])
    value, _, _ = ours(db.CTC(2), logits, labels)
    p = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    for row, label, loss in zip(p, labels, value, strict=True):
        total = 0.0
        for path in itertools.product(range(3), repeat=4):
            merged = [c for c, _ in itertools.groupby(path) if c]
            if merged == [c for c in label if c >= 0]:
                total += np.prod(row[np.arange(4), path])
        assert loss == pytest.approx(-np.log(total), rel=1e-6)


def test_labels_that_do_not_fit_are_impossible():
    value, _, _ = ours(db.CTC(3), LOGITS[:, :3], LABELS)
    assert np.isinf(value).tolist() == [True, False, False, False]


def test_labels_are_checked():
    model = db.Sequential([db.Input((9, 4)), db.TimeDistributed(db.Dense(5))])
    run = db.compile(db.Experiment(model, db.CTC(3), db.SGD(0.1)), "reference")
    run.fit(LOGITS[:, :, :4], LABELS, 4, 1)
    for wrong in (5, -2):
        with pytest.raises(DnnbridgeError, match="labels must be"):
            run.fit(LOGITS[:, :, :4], np.where(LABELS == 3, wrong, LABELS), 4, 1)
    with pytest.raises(DnnbridgeError, match="padding"):
        db.CTC(3, padding=-2)

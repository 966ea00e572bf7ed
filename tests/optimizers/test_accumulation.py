"""Several steps that make one update equal one large batch."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import SpecError
from dnnbridge.schedules.moment import Moment
from dnnbridge.training.position import Position

RNG = np.random.default_rng(5)
X = RNG.normal(size=(24, 4)).astype(np.float32)
CLASSES = RNG.integers(0, 3, 24).astype(np.int32)
NUMBERS = RNG.normal(size=(24, 1)).astype(np.float32)
SEQUENCES = RNG.integers(0, 3, (24, 5)).astype(np.int32)
SEQUENCES[np.arange(24)[:, None] % 7 < np.arange(5)] = -1
"""Sequences of five labels, of which up to four are ignored."""

SPARSE = db.SparseCategoricalCrossentropy(from_logits=True)
ABOUT = {"reference": 1e-9, "tensorflow": 2e-6, "mindspore": 2e-6}
BACKENDS = list(ABOUT)


def dense(units=3, **kernel):
    hidden = db.Dense(5, "tanh", **kernel)
    return db.Sequential([db.Input((4,)), hidden, db.Dense(units)])


def places():
    layers = [db.Dense(15), db.Reshape((5, 3))]
    return db.Sequential([db.Input((4,)), *layers])


def with_activity():
    activity = db.ActivityRegularization(l2=0.1)
    return db.Sequential([db.Input((4,)), db.Dense(5, "tanh"), activity, db.Dense(3)])


def two_outputs():
    x = db.Input((4,))
    h = db.Dense(5, "tanh")(x)
    return db.Model(x, [db.Dense(3, name="kind")(h), db.Dense(1, name="size")(h)])


HEADS = [db.Head("kind", SPARSE), db.Head("size", db.MeanSquaredError(), weight=0.3)]
WEIGHTS = (RNG.random(24) * 3.0).astype(np.float32)

CASES = {
    "mean": (dense(), SPARSE, CLASSES, {}),
    "sum": (dense(), SPARSE.replace(reduction="sum"), CLASSES, {}),
    "sample weights": (dense(), SPARSE, CLASSES, {"sample_weight": WEIGHTS}),
    "weighted mean": (
        *(dense(), SPARSE.replace(reduction="weighted_mean"), CLASSES),
        {"sample_weight": WEIGHTS},
    ),
    "ignored labels": (places(), SPARSE.replace(ignore_class=-1), SEQUENCES, {}),
    "penalty": (dense(kernel_regularizer=db.L2(0.1)), SPARSE, CLASSES, {}),
    "penalty and ignored labels": (
        db.Sequential([db.Input((4,)), db.Dense(15, kernel_regularizer="l2"), db.Reshape((5, 3))]),
        *(SPARSE.replace(ignore_class=-1), SEQUENCES, {}),
    ),
    "activity": (with_activity(), SPARSE, CLASSES, {}),
    "heads": (two_outputs(), HEADS, {"kind": CLASSES, "size": NUMBERS}, {}),
}
"""Each case has a model, a loss, labels and arguments of `fit`."""

CUTS = {
    "full": (24, 24, 6, 4),
    "short last part": (22, 22, 6, 4),
    "short last window": (22, 12, 4, 3),
}
"""Number of examples, size of the large batch, size of a part, number of parts."""


def first(labels, count):
    if isinstance(labels, dict):
        return {name: array[:count] for name, array in labels.items()}
    return labels[:count]


def trained(experiment, backend, count, batch_size, labels, given, epochs=2, **more):
    run = db.compile(experiment, backend)
    given = {name: array[:count] for name, array in given.items()}
    y = first(labels, count)
    run.fit(X[:count], y, batch_size, epochs, shuffle=False, **given, **more)
    return run


def assert_same(actual, expected, relative, what=""):
    for name, array in expected.items():
        size = max(np.abs(array).max(), 1e-3)
        assert np.abs(actual[name] - array).max() <= relative * size, (what, name)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", CASES)
def test_parts_are_the_large_batch(case, backend):
    if backend != "reference":
        pytest.importorskip(backend)
    cuts = CUTS if backend == "reference" else {"short last window": CUTS["short last window"]}
    model, loss, labels, given = CASES[case]
    experiment = db.Experiment(
        *(model, loss, db.SGD(db.ExponentialDecay(0.2, 2, 0.5), 0.9)),
        gradients=db.ClipByGlobalNorm(0.7),
    )
    for cut, (count, large, size, parts) in cuts.items():
        whole = trained(experiment, backend, count, large, labels, given)
        made = trained(experiment.replace(accumulate=parts), backend, count, size, labels, given)
        assert_same(made.parameters(), whole.parameters(), ABOUT[backend], cut)


def test_parts_of_ignored_labels_are_what_numpy_says():
    """In plain NumPy: the gradient of the mean over all labels that are not ignored."""
    labels = SEQUENCES[:22]
    model = places()
    run = db.compile(
        db.Experiment(model, SPARSE.replace(ignore_class=-1), db.SGD(1.0), accumulate=4),
        "reference",
    )
    start = run.parameters()
    run.fit(X[:22], labels, 6, shuffle=False)
    logits = (X[:22].astype(np.float64) @ start["dense/kernel"]).reshape(22, 5, 3)
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    counts = labels >= 0
    g = (p - np.eye(3)[np.maximum(labels, 0)]) * counts[..., None] / counts.sum()
    expected = start["dense/kernel"] - X[:22].astype(np.float64).T @ g.reshape(22, 15)
    np.testing.assert_allclose(run.parameters()["dense/kernel"], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("labelled", [0, 2, 12])
def test_a_window_with_few_labels_or_none_is_moved_by_its_penalty(labelled, backend):
    """The result is that of the large batch. Only the first `labelled` examples have labels."""
    if backend != "reference":
        pytest.importorskip(backend)
    model, loss, _, _ = CASES["penalty and ignored labels"]
    labels = np.where(np.arange(24)[:, None] < labelled, CLASSES[:, None], -1) + SEQUENCES * 0
    experiment = db.Experiment(model, loss, db.SGD(0.5))
    whole = trained(experiment, backend, 24, 24, labels, {})
    made = trained(experiment.replace(accumulate=4), backend, 24, 6, labels, {})
    assert_same(made.parameters(), whole.parameters(), ABOUT[backend])
    start = db.compile(experiment, backend).parameters()["dense/kernel"]
    moved = made.parameters()["dense/kernel"] - start
    if not labelled:  # two epochs of p - 0.5 · 2 · 0.01 p
        np.testing.assert_allclose(moved, (0.99**2 - 1) * start, rtol=1e-4)


def test_the_mean_of_the_steps_is_another_choice():
    """As in Keras, every step has the same weight, and a window continues in the next epoch."""
    labels = SEQUENCES[:22]
    loss = SPARSE.replace(ignore_class=-1)
    experiment = db.Experiment(places(), loss, db.SGD(1.0))
    choice = db.Accumulation(4, mean="steps")
    run = db.compile(experiment.replace(accumulate=choice), "reference")
    start = run.parameters()["dense/kernel"]
    run.fit(X[:22], labels, 6, shuffle=False)
    moves = []
    for k in range(0, 22, 6):
        part = db.compile(experiment, "reference")
        part.fit(X[k : min(k + 6, 22)], labels[k : min(k + 6, 22)], 6, shuffle=False)
        moves.append(part.parameters()["dense/kernel"] - start)
    np.testing.assert_allclose(
        run.parameters()["dense/kernel"] - start, np.mean(moves, 0), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("last", ["update", "carry"])
@pytest.mark.parametrize("steps_per_call", [1, 3, 128])
def test_a_training_in_pieces_is_the_training(last, steps_per_call, tmp_path):
    """Epochs have 5 steps, windows 3. The run is saved and loaded within a window."""
    window = db.Accumulation(3, last=last)
    optimizer = db.Adam(db.ExponentialDecay(0.1, 2, 0.5))
    experiment = db.Experiment(dense(), SPARSE, optimizer, accumulate=window)
    given = {"batch_size": 5, "steps_per_call": steps_per_call}
    whole = db.compile(experiment, "reference")
    whole.fit(X, CLASSES, epochs=5, **given)
    run = db.compile(experiment, "reference")
    run.fit(X, CLASSES, epochs=3, **given)

    class Stop(db.Callback):
        def on_steps_end(self, run, losses):
            run.stop()

    run.fit(X, CLASSES, callbacks=[Stop()], **given)
    run.save(tmp_path / "run.safetensors")
    later = db.load(tmp_path / "run.safetensors", "reference")
    assert later.position == run.position
    later.fit(X, CLASSES, epochs=5 - later.position.epoch, **given)
    assert later.position == whole.position
    assert_same(later.state(), whole.state(), 1e-12)


def test_windows_are_counted_over_epochs_of_any_length():
    position = Position().after(5, 20, 4).next_epoch().after(5, 20, 4).next_epoch()
    position = position.after(2, 8, 4).left().after(4, 16, 4)
    assert position.past == ((5, 2), (2, 0))
    (moment,) = position.moments(1, last=True)
    window = db.Accumulation(3)
    assert window.before(moment) == 2 + 2 + 0 + 1
    assert window.ends(moment)
    assert not db.Accumulation(3, last="carry").ends(moment)
    assert Position(step=10, epoch=2).past == ((5, 2),)
    assert Moment.of(7).windows(3) == 2


def test_what_an_epoch_ends_in_is_an_update():
    """22 examples in parts of 4, three parts per window: two windows per epoch."""
    experiment = db.Experiment(dense(), SPARSE, db.SGD(0.1), accumulate=3)
    run = trained(experiment, "reference", 22, 4, CLASSES, {}, epochs=1)
    assert not run.state()["dense/kernel:accumulated"].any()
    carried = experiment.replace(accumulate=db.Accumulation(4, last="carry"))
    run = trained(carried, "reference", 22, 4, CLASSES, {}, epochs=1)
    assert run.state()["dense/kernel:accumulated"].any()


IGNORING = db.Head("kind", SPARSE.replace(ignore_class=-1))
SEVERAL = {
    "heads": (two_outputs(), [IGNORING, HEADS[1]]),
    "a sum beside a mean": (
        two_outputs(),
        [HEADS[0], db.Head("size", db.MeanSquaredError(reduction="sum"))],
    ),
    "a sum and a penalty": (
        dense(kernel_regularizer=db.L2(0.1)),
        SPARSE.replace(reduction="sum"),
    ),
    "ignored labels and a mean over examples": (
        with_activity(),
        SPARSE.replace(ignore_class=-1),
    ),
}


@pytest.mark.parametrize("case", SEVERAL)
def test_what_makes_no_large_batch_is_refused(case):
    model, loss = SEVERAL[case]
    with pytest.raises(SpecError, match="accumulate: parts of the loss have different divisors"):
        db.Experiment(model, loss, db.SGD(0.1), accumulate=2)
    db.Experiment(model, loss, db.SGD(0.1), accumulate=db.Accumulation(2, mean="steps"))


@pytest.mark.parametrize("value", [0, -1, 1.5, "4", True, None])
def test_what_is_no_number_of_steps_is_refused(value):
    with pytest.raises(SpecError, match="expected a positive number of steps, or an Accumulation"):
        db.Experiment(dense(), SPARSE, db.SGD(0.1), accumulate=value)


def test_the_rate_of_a_run_is_that_of_the_next_update():
    model = db.Sequential([db.Input((1,)), db.Dense(1)])
    rate = db.PiecewiseConstant((1, 2), (0.3, 0.2, 0.1))
    run = db.compile(db.Experiment(model, "mse", db.SGD(rate), accumulate=2), "reference")
    seen = []

    class Rates(db.Callback):
        every_steps = 1

        def on_steps_begin(self, run, steps):
            seen.append(run.learning_rate)

    run.fit([[0.0]] * 6, [[0.0]] * 6, batch_size=1, callbacks=[Rates()], shuffle=False)
    assert seen == [rate(0), rate(0), rate(1), rate(1), rate(2), rate(2)]

"""Batches from generators, iterables and indexed sources: numbers, orders and ends."""

from __future__ import annotations

import itertools
import logging

import numpy as np
import pytest
from training.sources_of_batches import (
    WEIGHTS,
    Again,
    ByNumber,
    Sized,
    X,
    Y,
    assert_same,
    batches,
    make,
)

import dnnbridge as db
from dnnbridge.base import randomness
from dnnbridge.errors import DataError

SOURCES = {"iterable": Again, "sized": Sized, "by-number": ByNumber, "list": list}


@pytest.mark.parametrize("kind", SOURCES)
def test_the_same_batches_make_the_same_run(kind):
    """The arrays in the same order are the witness, bit for bit, also with dropout."""
    arrays, stream = make(), make()
    expected = arrays.fit(X, Y, 4, 3, (X[:9], Y[:9]), shuffle=False, verbose=0)
    found = stream.fit(
        SOURCES[kind](batches()),
        epochs=3,
        validation_data=Again(batches(9)),
        shuffle=False,
        verbose=0,
    )
    assert_same(stream, arrays)
    assert found.step_losses == expected.step_losses
    assert found.history.keys() == expected.history.keys()
    for name, values in expected.history.items():
        np.testing.assert_allclose(found.history[name], values, rtol=1e-12)


def test_means_are_over_examples_whatever_the_batches():
    """A plain mean over all examples, written out, for batches of many sizes."""
    run = make()
    wild = Again(batches(3, 1, 7, 2, 9))
    predictions = run.predict(X)
    found = run.evaluate(wild)
    assert found["loss"] == pytest.approx(np.mean((predictions - Y) ** 2), rel=1e-6)
    assert found["mean_absolute_error"] == pytest.approx(np.mean(abs(predictions - Y)), rel=1e-6)
    np.testing.assert_allclose(run.predict(wild), predictions, rtol=1e-6)
    np.testing.assert_allclose(run.predict(iter([x for x, _ in wild.items])), predictions, 1e-6)
    np.testing.assert_allclose(run.predict(iter([[x] for x, _ in wild.items])), predictions, 1e-6)


def test_weights_of_examples_and_classes():
    weighted = Again(batches(arrays=(X, Y, WEIGHTS)))
    run = make()
    expected = run.evaluate(X, Y, sample_weight=WEIGHTS)["loss"]
    assert run.evaluate(weighted)["loss"] == pytest.approx(expected, rel=1e-9)
    arrays, stream = make(), make()
    arrays.fit(X, Y, 4, 2, shuffle=False, sample_weight=WEIGHTS, verbose=0)
    stream.fit(weighted, epochs=2, verbose=0)
    assert_same(stream, arrays)
    model = db.Sequential([db.Input((3,)), db.Dense(2, "softmax")])
    experiment = db.Experiment(model, "sparse_categorical_crossentropy", db.SGD(0.1))
    labels, (arrays, stream) = (
        (Y[:, 0] > 0).astype(int),
        (db.compile(experiment, "reference") for _ in range(2)),
    )
    arrays.fit(X, labels, 4, 2, shuffle=False, class_weight={1: 5.0}, verbose=0)
    stream.fit(Again(batches(arrays=(X, labels))), epochs=2, class_weight={1: 5.0}, verbose=0)
    assert_same(stream, arrays)


def test_several_inputs_and_outputs():
    a, b = db.Input((3,), name="a"), db.Input((1,), name="b")
    both = db.Concatenate()([a, b])
    model = db.Model([a, b], [db.Dense(1, name="p")(both), db.Dense(2, name="q")(both)])
    heads = [db.Head("p", "mse"), db.Head("q", "mae")]
    arrays, stream = (
        db.compile(db.Experiment(model, heads, db.SGD(0.1)), "reference") for _ in range(2)
    )
    q = np.hstack([Y, -Y])
    arrays.fit({"a": X, "b": Y}, {"p": Y, "q": q}, 4, 2, shuffle=False, verbose=0)
    made = [({"a": x, "b": y}, [y, np.hstack([y, -y])]) for x, y in batches()]
    stream.fit(made, epochs=2, shuffle=False, verbose=0)
    assert_same(stream, arrays)


def test_few_shapes_are_compiled():
    """Batches of 4 and fewer are one shape, a larger one is the next power of two."""
    run, shapes = make(), set()
    executable = run._engine.executable
    plain = executable.run

    def noting(function, feeds, steps):
        shapes.add(feeds["batch:mask"].shape[1])
        return plain(function, feeds, steps)

    executable.run = noting
    run.fit(Again(batches(4, 3, 4, 1, 4)), epochs=3, verbose=0)
    assert shapes == {4}
    run.fit(Again(batches(4, 3, 5, 7, 2)), epochs=2, verbose=0)
    assert shapes == {4, 8}


def test_batches_by_number_are_shuffled_by_the_seed():
    """The order is written out with the generator of the examples' order."""
    source = ByNumber(batches())
    run = make()
    run.fit(source, epochs=2, verbose=0)
    seed = run.experiment.seed
    orders = [randomness.permutation(seed, epoch, 6).tolist() for epoch in range(2)]
    assert source.read == [0, *orders[0], *orders[1]]  # the first says how large batches are
    other = make()
    other.fit([batches()[k] for order in orders for k in order], shuffle=False, verbose=0)
    for name, array in run.weights().items():
        np.testing.assert_allclose(array, other.weights()[name], rtol=1e-5, err_msg=name)
    plain = ByNumber(batches())
    make().fit(plain, epochs=2, shuffle=False, verbose=0)
    assert plain.read == [*range(6), *range(6)]


def numbered(count, size):
    """Return batches whose inputs are the numbers of the examples."""
    x = np.arange(count, dtype=np.float32)[:, None]
    return [(x[k : k + size], x[k : k + size]) for k in range(0, count, size)]


def read_by(source, epochs=1, **given):
    """Return the inputs that the steps of each epoch were given."""
    model = db.Sequential([db.Input((1,), name="x"), db.Dense(1)])
    run = db.compile(db.Experiment(model, "mse", db.SGD(0.0)), "reference")
    executable, seen = run._engine.executable, []
    plain = executable.run

    def noting(function, feeds, steps):
        for k in range(steps):
            real = feeds["batch:mask"][k] > 0
            seen.append(feeds["input:x"][k][real, 0].astype(int).tolist())
        return plain(function, feeds, steps)

    executable.run = noting
    run.fit(source, epochs=epochs, verbose=0, **given)
    return seen


def test_a_declared_buffer_shuffles_a_stream():
    steps = read_by(db.Shuffled(Again(numbered(50, 4)), buffer=12), epochs=2)
    first, second = steps[:13], steps[13:]
    for passed in (first, second):
        assert [len(step) for step in passed] == [4] * 12 + [2]
        flat = [number for step in passed for number in step]
        assert sorted(flat) == list(range(50))
        assert all(number < 4 * k + 16 for k, step in enumerate(passed) for number in step)
    assert first != second
    assert first != numbered(50, 4)
    assert read_by(db.Shuffled(Again(numbered(50, 4)), 12), 2) == steps
    assert read_by(db.Shuffled(Again(numbered(50, 4)), 12, seed=8), 2) != steps
    assert read_by(db.Shuffled(Again(numbered(50, 4)), 500))[0] != first[0]


def test_a_stream_is_not_shuffled_silently():
    assert read_by(Again(numbered(10, 4)), shuffle=True) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


@pytest.mark.parametrize("kind", ["iterable", "by-number"])
def test_short_epochs_go_on_within_a_pass(kind):
    """Arrays with steps_per_epoch are the witness; Keras is theirs."""
    arrays, whole, resumed = make(), make(), make()
    expected = arrays.fit(X, Y, 4, 5, shuffle=False, steps_per_epoch=4, verbose=0)
    given = {"steps_per_epoch": 4, "shuffle": False, "verbose": 0}
    found = whole.fit(SOURCES[kind](batches()), epochs=5, **given)
    assert_same(whole, arrays)
    np.testing.assert_allclose(found.history["loss"], expected.history["loss"], rtol=1e-12)
    for epochs in (1, 2, 1, 1):
        resumed.fit(SOURCES[kind](batches()), epochs=epochs, **given)
    assert_same(resumed, arrays)


def test_an_endless_generator():
    read = []

    def endless():
        for k in itertools.count():
            read.append(k)
            yield batches()[k % 5]

    source, run = endless(), make()
    run.fit(source, epochs=2, steps_per_epoch=3, verbose=0)
    assert read == list(range(6))  # not one more than was asked for
    run.fit(source, epochs=1, steps_per_epoch=2, verbose=0)
    assert read == list(range(8))
    other = make()
    other.fit([batches()[k % 5] for k in range(8)], shuffle=False, verbose=0)
    for name, array in run.weights().items():
        np.testing.assert_array_equal(array, other.weights()[name], err_msg=name)


def test_a_length_says_how_many_batches_an_epoch_has():
    class Longer(Again):
        def __len__(self):
            return 3

        def __iter__(self):
            yield from batches(4, 4, 4)
            raise AssertionError("more than its length was read")

    run, other = make(), make()
    run.fit(Longer([]), epochs=2, validation_data=Longer([]), verbose=0)
    other.fit(batches(4, 4, 4), epochs=2, shuffle=False, verbose=0)
    assert_same(run, other)


def test_a_generator_that_ends_early(caplog):
    run = make()
    with caplog.at_level(logging.WARNING), pytest.raises(DataError) as caught:
        run.fit(iter(batches()), epochs=3, steps_per_epoch=4, verbose=0)
    assert "ended after 2 of 4 steps of epoch 2" in caplog.text
    assert "x: has no batch for epoch 3, got a list_iterator, which has ended" in str(caught.value)
    assert run.history.epochs == [0, 1]
    assert run.position.epoch == 2
    run.fit(Again(batches()), verbose=0)
    assert run.position.epoch == 3


def test_a_list_of_batches_is_predicted():
    run = make()
    wanted = run.predict(X)
    np.testing.assert_array_equal(run.predict(batches()), wanted)
    np.testing.assert_array_equal(run.predict(batches(arrays=(X,))), wanted)
    np.testing.assert_array_equal(run.predict([tuple(row) for row in X.tolist()]), wanted)
    inputs = [db.Input((3,), name=name) for name in "ab"]
    two = db.compile(db.Experiment(db.Model(inputs, db.Add()(*inputs)), "mse", "sgd"), "reference")
    np.testing.assert_array_equal(two.predict([X, X]), 2 * X)
    np.testing.assert_array_equal(two.predict([((x, x), y) for x, y in batches()]), 2 * X)
    np.testing.assert_array_equal(two.predict([({"a": x, "b": x}, y) for x, y in batches()]), 2 * X)

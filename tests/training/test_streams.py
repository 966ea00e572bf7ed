"""Batches from generators, iterables and indexed sources: numbers, orders, ends and errors."""

from __future__ import annotations

import itertools
import logging
import threading

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.base import randomness
from dnnbridge.errors import ArgumentError, DataError, DnnbridgeError

RNG = np.random.default_rng(3)
X = RNG.normal(size=(22, 3)).astype(np.float32)
Y = (X @ [[1.0], [-2.0], [0.5]]).astype(np.float32)
WEIGHTS = RNG.uniform(0.5, 2.0, 22).astype(np.float32)


def make(metrics=("mae",)):
    model = db.Sequential([db.Input((3,)), db.Dense(4, "tanh"), db.Dropout(0.3), db.Dense(1)])
    return db.compile(db.Experiment(model, "mse", db.Adam(0.05), metrics=metrics), "reference")


def batches(*sizes, arrays=(X, Y)):
    """Return batches of these sizes; by default of 4, and a short one."""
    ends = np.cumsum((0, *(sizes or (4, 4, 4, 4, 4, 2))))
    return [tuple(a[i:j] for a in arrays) for i, j in itertools.pairwise(ends)]


class Again:
    """Begins again for each pass, as a loader does; notes what was read."""

    def __init__(self, items):
        self.items, self.read = items, []

    def __iter__(self):
        for k, item in enumerate(self.items):
            self.read.append(k)
            yield item


class Sized(Again):
    def __len__(self):
        return len(self.items)


class ByNumber:
    """Gives each batch by its number."""

    def __init__(self, items):
        self.items, self.read = items, []

    def __len__(self):
        return len(self.items)

    def __getitem__(self, k):
        self.read.append(k)
        return self.items[k]


def assert_same(one, other):
    assert one.position.step == other.position.step
    for name, array in one.state().items():
        np.testing.assert_array_equal(array, other.state()[name], err_msg=name)


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


def failing(error, after):
    yield from batches()[:after]
    raise error


@pytest.mark.parametrize("after", [0, 1, 3])
def test_an_error_of_the_source_is_raised_as_it_is(after):
    error, run, expected = OSError("disk"), make(), make()
    with pytest.raises(OSError, match="disk") as caught:
        run.fit(failing(error, after), verbose=0)
    assert caught.value is error
    assert error.__notes__ == [f"This came from a generator, asked for batch {after + 1}."]
    assert len(run.history.step_losses) == run.position.step == run.position.batch == after
    assert no_threads()
    run.fit(Again(batches()), verbose=0)  # goes on at the batch that failed
    expected.fit(X, Y, 4, shuffle=False, verbose=0)
    assert_same(run, expected)


def no_threads():
    return not [t for t in threading.enumerate() if t.name.startswith("dnnbridge-ahead")]


@pytest.mark.parametrize("call", ["evaluate", "predict"])
def test_errors_of_other_calls(call):
    run = make()
    with pytest.raises(OSError, match="disk"):
        getattr(run, call)(failing(OSError("disk"), 2))
    assert no_threads()
    assert run.position.step == 0


BAD = {
    "nan": ([*batches(), (X * np.nan, Y)], "batch 7: x[0, 0]: holds NaN or infinity"),
    "shape": ([(X[:, :2], Y)], "batch 1: x: needs shape (batch, 3), got shape (22, 2)"),
    "rows": ([(X, Y[:4])], "batch 1: x and y: need the same, non-zero number of rows"),
    "empty": ([(X[:0], Y[:0])], "batch 1: x and y: need the same, non-zero number of rows"),
    "single": ([(X[0], Y[0])], "The source gives single examples; let it make batches"),
    "inputs-alone": ([X], "Let the source give (x, y)"),
    "parts": ([(X, Y, WEIGHTS, 1)], "batch 1: must be (x, y) or (x, y, sample_weight), got 4"),
    "number": ([3], "batch 1: needs inputs and labels, got a int"),
    "nothing": ([], "has no batch for epoch 1, got a list. Give at least one batch."),
}


@pytest.mark.parametrize("name", BAD)
def test_batches_that_do_not_fit_are_named(name):
    given, message = BAD[name]
    run = make()
    with pytest.raises(DnnbridgeError) as caught:
        run.fit(Again(given) if given else given, shuffle=False, verbose=0)
    assert message in str(caught.value)
    assert run.position.step == (6 if name == "nan" else 0)


ARGUMENTS = {
    "batch_size": ({"batch_size": 4}, "each batch of the source is a step"),
    "y": ({"y": Y}, "each batch is (x, y)"),
    "sample_weight": ({"sample_weight": WEIGHTS}, "(x, y, sample_weight)"),
    "validation_split": ({"validation_split": 0.2}, "a second source as validation_data"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_that_do_not_go_with_a_source(name):
    given, message = ARGUMENTS[name]
    with pytest.raises(ArgumentError) as caught:
        make().fit(Again(batches()), **given)
    assert str(caught.value).startswith(f"fit: {name}: does not go with a source of batches")
    assert message in str(caught.value)


def test_what_is_read_once_is_not_asked_twice():
    run = make()
    with pytest.raises(DataError, match=r"can be read once, not for 2 epochs.*begin again"):
        run.fit(iter(batches()), epochs=2)
    with pytest.raises(DataError, match="validation_data: can be read once, not for 3 evaluations"):
        run.fit(X, Y, epochs=3, validation_data=iter(batches()))
    assert run.position.step == 0
    found = run.fit(X, Y, epochs=3, validation_data=iter(batches()), validation_freq=3, verbose=0)
    assert len(found.history["val_loss"]) == 1
    ended = iter(batches())
    run.evaluate(ended)
    with pytest.raises(DataError, match="has no batch, got a list_iterator"):
        run.evaluate(ended)


def test_lists_of_batches_for_validation():
    run = make()
    pairs, source = batches(11, 11), Again(batches(11, 11))
    losses = [
        make().fit(X, Y, 4, 1, given, verbose=0).history["val_loss"][0]
        for given in (pairs, source, (X, Y), [X, Y])
    ]
    np.testing.assert_allclose(losses, losses[0], rtol=1e-6)
    assert run.evaluate(pairs)["loss"] == pytest.approx(run.evaluate(X, Y)["loss"], rel=1e-6)


def test_a_model_with_states_takes_batches_of_its_size():
    layers = [db.Input((2, 1), batch_size=2), db.LSTM(2, stateful=True), db.Dense(1)]
    run = db.compile(db.Experiment(db.Sequential(layers), "mse", "sgd"), "reference")
    x, y = np.ones((4, 2, 1), np.float32), np.ones((4, 1), np.float32)
    run.fit(Again([(x[:2], y[:2])]), verbose=0)
    with pytest.raises(DataError, match=r"batch 1: must have 2 rows.*got 4 rows"):
        run.fit(Again([(x, y)]), verbose=0)


def test_progress_of_unknown_and_known_length(capsys):
    make().fit(Again(batches()), epochs=2, verbose=2)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/2", "epoch 2/2"]
    heard = []

    class Begin(db.Callback):
        def on_train_begin(self, run, epochs, steps_per_epoch):
            heard.append((epochs, steps_per_epoch))

    for source in (Again(batches()), Sized(batches())):
        make().fit(source, epochs=2, callbacks=[Begin()], verbose=1)
    assert heard == [(2, 0), (2, 6)]
    shown = capsys.readouterr().err.replace("\r", "\n")
    assert "epoch 1/2  6  " in shown
    assert "epoch 1/2  6/6  " in shown

"""Arrays that do not fit: one error that says where and what, before any training."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge import ops
from dnnbridge.errors import DataError, DnnbridgeError, DTypeError

X, Y = np.ones((6, 4)), np.array([0, 1, 2, 0, 1, 2])


def make(loss=None, units=3) -> db.Run:
    model = db.Sequential([db.Input((4,)), db.Dense(units)])
    loss = loss or db.SparseCategoricalCrossentropy(from_logits=True)
    return db.compile(db.Experiment(model, loss, db.SGD(0.1)), backend="reference")


def changed(array, index, value):
    copy = np.array(array)
    copy[index] = value
    return copy


BAD = {
    "x_rank": (X[0], Y, "x: needs shape (batch, 4), got shape (4,)"),
    "x_features": (np.ones((6, 5)), Y, "x: needs shape (batch, 4), got shape (6, 5)"),
    "x_unflattened": (np.ones((6, 2, 2)), Y, "x.reshape(-1, 4)"),
    "x_int": (X.astype(int), Y, 'x.astype("float32")'),
    "x_text": (np.full((6, 4), "a"), Y, "x: needs numbers, got dtype <U1"),
    "x_ragged": ([[1.0], [1.0, 2.0]], Y, "rows of different lengths"),
    "x_nan": (changed(X, (2, 1), np.nan), Y, "x[2, 1]: holds NaN or infinity, got nan"),
    "x_inf": (changed(X, (5, 3), np.inf), Y, "x[5, 3]"),
    "x_overflow": (
        changed(X, (0, 0), 1e39),
        Y,
        "x[0, 0]: is too large for float32, whose largest number is 3.4e38, got 1e+39",
    ),
    "fewer_labels": (X, Y[:5], "got 6 and 5"),
    "none": (X[:0], Y[:0], "got 0 and 0"),
    "y_rank": (X, Y[:, None], "y.reshape(-1)"),
    "y_float": (X, Y.astype(float), 'y.astype("int32")'),
    "y_high": (X, changed(Y, 3, 3), "y[3]: labels must be from 0 to 2, got 3"),
    "y_negative": (X, changed(Y, 1, -1), "y[1]: labels must be from 0 to 2, got -1"),
    "y_huge": (X, changed(Y, 1, 2**40), "int32, got 1099511627776"),
    "y_hugely_negative": (X, changed(Y, 1, -(2**40)), "int32, got -1099511627776"),
}


@pytest.mark.parametrize(("x", "y", "message"), BAD.values(), ids=BAD)
def test_fit_refuses_bad_arrays(x, y, message):
    run = make()
    before = run.parameters()
    with pytest.raises(DnnbridgeError) as caught:
        run.fit(x, y)
    assert message in str(caught.value)
    assert all(np.array_equal(before[name], array) for name, array in run.parameters().items())


@pytest.mark.parametrize(("x", "y", "message"), BAD.values(), ids=BAD)
def test_evaluate_refuses_bad_arrays(x, y, message):
    with pytest.raises(DnnbridgeError) as caught:
        make().evaluate(x, y)
    assert message in str(caught.value)


@pytest.mark.parametrize(("x", "y", "message"), BAD.values(), ids=BAD)
def test_fit_refuses_bad_validation_data_before_training(x, y, message):
    run = make()
    with pytest.raises(DnnbridgeError, match=r"validation_data\[\d\]"):
        run.fit(X, Y, validation_data=(x, y))
    assert run.position.step == 0


def test_predict_refuses_bad_inputs():
    with pytest.raises(DataError, match="x: needs shape"):
        make().predict(np.ones((2, 5)))


BAD_DISTRIBUTIONS = {
    "not_one_hot": (np.ones((6, 3)), "every row must sum to 1"),
    "negative": (np.tile([1.5, -0.5, 0.0], (6, 1)), "from 0 to 1"),
    "numbers": (Y, "needs shape (batch, 3), got shape (6,)"),
    "columns": (np.ones((6, 2)), "needs shape (batch, 3), got shape (6, 2)"),
}


@pytest.mark.parametrize(("y", "message"), BAD_DISTRIBUTIONS.values(), ids=BAD_DISTRIBUTIONS)
def test_bad_distributions(y, message):
    with pytest.raises(DnnbridgeError) as caught:
        make(db.CategoricalCrossentropy(True)).fit(X, y)
    assert message in str(caught.value)


ONES = np.ones((6, 3))

BAD_RANGES = {
    "below_0": (
        db.BinaryCrossentropy(True),
        changed(ONES, (2, 1), -0.5),
        "y[2, 1]: labels must be 0",
    ),
    "above_1": (db.BinaryCrossentropy(True), changed(ONES, (0, 2), 1.5), "must be 1 or less"),
    "focal": (
        db.BinaryFocalCrossentropy(from_logits=True),
        2.0 * ONES,
        "must be 1 or less, got 2.0 (18 such",
    ),
    "counts": (db.Poisson(), -ONES, "labels must be 0 or more"),
    "logarithm": (db.MeanSquaredLogarithmicError(), -ONES, "labels must be 0 or more"),
    "signs": (
        db.Hinge(),
        changed(changed(ONES, (1, 1), 0.0), (4, 0), -1.0),
        "y[1, 1]: labels must not be both -1 and 0, got 0.0 (1 such",
    ),
    "signs_squared": (db.SquaredHinge(), 2.0 * ONES, "labels must be -1, 0 or 1"),
    "kl": (db.KLDivergence(True), ONES, "every row must sum to 1"),
    "categorical_hinge": (db.CategoricalHinge(), ONES, "every row must sum to 1"),
    "categorical_focal": (
        db.CategoricalFocalCrossentropy(from_logits=True),
        ONES,
        "every row must sum to 1",
    ),
}


@pytest.mark.parametrize(("loss", "y", "message"), BAD_RANGES.values(), ids=BAD_RANGES)
def test_labels_out_of_range(loss, y, message):
    with pytest.raises(DataError) as caught:
        make(loss).fit(X, y)
    assert message in str(caught.value)


def test_regression_labels_are_not_broadcast():
    """A list of numbers is one number for each example, not one row for all."""
    run = make(db.MeanSquaredError(), 1)
    loss = np.mean((run.predict(X)[:, 0] - Y) ** 2)
    assert run.evaluate(X, Y.astype(float))["loss"] == pytest.approx(loss, rel=1e-6)
    with pytest.raises(DataError, match=r"needs shape \(batch, 1\), got shape \(1, 6\)"):
        run.fit(X, Y.astype(float)[None])


@pytest.mark.parametrize("name", ["batch_size", "epochs", "steps_per_call"])
@pytest.mark.parametrize("value", [0, -1, 2.5, True, "3"])
def test_bad_counts(name, value):
    with pytest.raises(DataError, match=name):
        make().fit(X, Y, **{name: value})


@pytest.mark.parametrize("given", [X, (X,), (X, Y, Y, Y), [X], 3])
def test_validation_data_must_be_a_pair(given):
    with pytest.raises(DataError, match=r"validation_data: must be \(inputs, labels\)"):
        make().fit(X, Y, validation_data=given)


BAD_PARAMETERS = {
    "unknown": ({"dense/kernl": np.ones((4, 3))}, DataError, "Did you mean 'dense/kernel'?"),
    "shape": ({"dense/kernel": np.ones((3, 4))}, DataError, r"needs shape \(4, 3\)"),
    "dtype": ({"dense/bias": np.ones(3, int)}, DTypeError, "floating-point"),
}


@pytest.mark.parametrize(("values", "error", "what"), BAD_PARAMETERS.values(), ids=BAD_PARAMETERS)
def test_bad_parameters(values, error, what):
    run = make()
    with pytest.raises(error, match=what):
        run.set_parameters({"dense/bias": np.full(3, 7.0)} | values)
    assert not run.parameters()["dense/bias"].any()


def test_integers_of_any_width_are_labels():
    for dtype in (np.uint8, np.int16, np.int64):
        make().fit(X, Y.astype(dtype))


@pytest.mark.parametrize("number", [-1, 5])
def test_numbers_that_a_table_lacks_are_refused(number):
    words = db.Input((3,), "int32")
    rows = db.GlobalAveragePooling1D()(db.Embedding(5, 2)(words))
    experiment = db.Experiment(db.Model(words, rows), db.MeanSquaredError(), db.SGD(0.1))
    run = db.compile(experiment, "reference")
    x = np.array([[0, 4, 1], [2, number, 0]])
    for call in (lambda: run.predict(x), lambda: run.fit(x, np.zeros((2, 2)))):
        with pytest.raises(DataError) as caught:
            call()
        assert "x[1, 1]: row numbers of the table must be from 0 to 4" in str(caught.value)
    assert run.predict(np.abs(x) % 5).shape == (2, 2)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([1, -1, 2], "y[0, 2]: only -1 may follow -1"),
        ([1, 0, 2], "y[0, 1]: 0 is not allowed as a label"),
    ],
)
def test_labels_that_ctc_cannot_mean_are_refused(row, message):
    model = db.Sequential([db.Input((6, 4)), db.Dense(4)])
    run = db.compile(db.Experiment(model, db.CTC(3), db.SGD(0.1)), "reference")
    with pytest.raises(DataError) as caught:
        run.fit(np.zeros((1, 6, 4)), np.array([row]))
    assert message in str(caught.value)
    run.fit(np.zeros((1, 6, 4)), np.array([[1, 2, -1]]))


def large_numbers():
    """Yield the places where a finite number beyond float32 can be given, and such calls."""
    run = make()
    large = {"dense/bias": np.full(3, 1e39)}
    yield "sample_weight[0]", lambda: run.fit(X, Y, sample_weight=np.full(6, 1e39))
    yield "class_weight[1]", lambda: run.fit(X, Y, class_weight={1: 1e39})
    yield "x[0, 0]", lambda: run.predict(X * 1e39)
    yield "parameters['dense/bias'][0]", lambda: run.set_parameters(large)
    yield "weights['dense/bias'][0]", lambda: run.set_weights(run.weights() | large)
    run.set_learning_rate(db.ExponentialDecay(1e38, 1, 100.0))
    yield "learning_rate at step 1", lambda: run.fit(X, Y, 2)


def test_a_large_number_is_not_called_infinity():
    for where, call in large_numbers():
        with pytest.raises(DataError, match="is too large for float32") as caught:
            call()
        assert str(caught.value).startswith(f"{where}: ")
        assert "inf" not in str(caught.value)


class Change(db.Callback):
    """Change an array while it is in use."""

    def __init__(self, array, value):
        self.array, self.value = array, value

    def on_steps_end(self, run, losses):
        self.array[...] = self.value


def changing():
    """Yield data that are changed in place during training, and the expected error."""
    x, table = (
        np.ones((6, 4), np.float32),
        db.Sequential([db.Input((), "int32"), db.Embedding(5, 3)]),
    )
    y, one_hot = Y.astype(np.int32), np.eye(3, dtype=np.float32)[Y]
    flags, weights = np.float32(Y[:, None] > 0), np.ones(6, np.float32)
    dense = db.Sequential([db.Input((4,)), db.Dense(1)])
    sparse = db.SparseCategoricalCrossentropy(from_logits=True)
    logits = db.Sequential([db.Input((4,)), db.Dense(3)])
    yield logits, sparse, x, y, None, y, -1, "y["
    yield logits, sparse, x, y, None, y, 3, "labels must be from 0 to 2, got 3"
    yield logits, db.CategoricalCrossentropy(from_logits=True), x, one_hot, None, one_hot, 0.0, "y["
    yield dense, db.BinaryCrossentropy(from_logits=True), x, flags, None, flags, 7.0, "y["
    yield logits, sparse, x, y, weights, weights, -1.0, "sample_weight["
    numbers = y.copy()
    yield table, db.MeanSquaredError(), numbers, one_hot, None, numbers, 5, "x["


@pytest.mark.parametrize("which", range(6))
def test_data_that_are_changed_while_fit_runs_are_noticed(which):
    model, loss, x, y, weights, array, value, words = list(changing())[which]
    run = db.compile(db.Experiment(model, loss, db.SGD(0.1)), "reference")
    given = {"sample_weight": weights, "callbacks": [Change(array, value)], "steps_per_call": 1}
    with pytest.raises(DataError, match="was changed during training") as caught:
        run.fit(x, y, 1, 3, **given)
    assert words in str(caught.value)
    assert 1 <= run.position.step <= 3  # a block or two were ready


def test_the_example_that_was_changed_is_named():
    y = Y.astype(np.int32)
    model = db.Sequential([db.Input((4,)), db.Dense(3)])
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    run = db.compile(db.Experiment(model, loss, db.SGD(0.1)), "reference")
    with pytest.raises(DataError, match=r"^y\[4\]: was changed"):
        run.fit(X, y, 2, 9, callbacks=[Change(y[4:5], -1)], steps_per_call=1)


def test_validation_data_that_are_changed_are_noticed():
    y = Y.astype(np.int32)
    with pytest.raises(DataError, match="was changed during training"):
        make().fit(X, Y, 6, 3, (X, y), callbacks=[Change(y, -1)])


@pytest.mark.parametrize("backend", ["reference", "tensorflow", "mindspore"])
def test_an_input_of_true_and_false(backend):
    if backend != "reference":
        pytest.importorskip(backend)
    mask = db.Input((40,), dtype="bool", name="mask")
    real = db.Input((40,), name="real")
    model = db.Model([mask, real], db.Dense(2)(Choose()(mask, real)))
    run = db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1)), backend)
    rng = np.random.default_rng(0)
    x = {"mask": rng.random((120, 40)) < 0.5, "real": rng.normal(size=(120, 40))}
    chosen = np.where(x["mask"], x["real"], -0.5)
    y = chosen[:, :2] + 0.25 * chosen[:, 2:4]
    weights = run.weights()
    expected = chosen @ weights["dense/kernel"] + weights["dense/bias"]
    np.testing.assert_allclose(run.predict(x), expected, atol=1e-5)
    history = run.fit(x, y, 32, 3, (x, y))
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    assert run.evaluate(x, y)["loss"] == pytest.approx(np.mean((run.predict(x) - y) ** 2), rel=1e-5)


def test_true_and_false_are_not_guessed():
    model = db.Sequential([db.Input((4,), dtype="bool"), Choose(), db.Dense(3)])
    run = db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1)), "reference")
    with pytest.raises(DTypeError, match=r'needs true or false values.*x.astype\("bool"\)'):
        run.predict(np.ones((2, 4), int))
    with pytest.raises(DTypeError, match="needs floating-point values"):
        make().predict(np.ones((2, 4), bool))


@db.spec
class Choose(db.AbstractLayer):
    """The second input where the first is true, else -0.5."""

    def emit(self, scope, mask, real=1.0):
        return ops.where(mask, real, -0.5)


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_a_number_in_a_frame_is_found_by_its_column(package):
    frames = pytest.importorskip(package)
    frame = frames.DataFrame({"age": [1.0, 2.0, 3.0], "size": [4.0, 5.0, float("inf")]})
    model = db.Sequential([db.Input((2,)), db.Dense(1)])
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    with pytest.raises(DataError, match=r"x\['size'\], row 2: holds NaN or infinity, got inf"):
        run.predict(frame)
    with pytest.raises(DataError, match=r"batch 1: x\['size'\], row 2: holds NaN"):
        run.predict(iter([(frame,)]))


def test_objects_that_are_numbers_are_no_categories():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": [1.0, None], "size": [1.0, 2.0]}, dtype=object)
    model = db.Sequential([db.Input((2,)), db.Dense(1)])
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    with pytest.raises(DTypeError, match=r"x\['age'\]: .*\.astype\(\"float64\"\)"):
        run.predict(frame)
    with pytest.raises(DTypeError, match=r"x\['size'\]: .*get_dummies"):
        run.predict(frame.assign(age=[1.0, 2.0], size=["small", "large"]))


def test_labels_in_a_dictionary_for_one_output_are_told_apart():
    said = r"y: must be an array, as the model has one output, got a dictionary with dense"
    with pytest.raises(DataError, match=said):
        make().fit(X, {"dense": Y})


def test_labels_of_a_textbook():
    """Whole numbers and a list of them are labels of a loss of numbers, as in Keras."""
    x = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    truths = x[:, 0] > 0
    model = db.Sequential([db.Input((4,)), db.Dense(1, "sigmoid")])
    losses = [
        db.compile(db.Experiment(model, "binary_crossentropy", "sgd"), "reference").evaluate(x, y)
        for y in (truths[:, None] * 1.0, truths[:, None], truths.astype(int), [*truths * 1.0])
    ]
    assert losses == [losses[0]] * 4
    with pytest.raises(DataError, match="needs shape"):
        make(db.MeanSquaredError()).fit(X, np.ones(6))

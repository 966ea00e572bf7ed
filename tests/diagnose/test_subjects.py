"""Every diagnosis takes models with several inputs and outputs, and models that carry states."""

import importlib
import math

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.diagnose.subjects import arrays_of, count_of, rows
from dnnbridge.errors import DataError

nets = importlib.import_module("diagnose.nets")
kept, same = nets.kept, nets.same

RNG = np.random.default_rng(5)
D = db.diagnose

DIAGNOSES = {
    "activations": lambda run, x, y: D.activations(run, x),
    "gradients": lambda run, x, y: D.gradients(run, x, y, steps=2),
    "update_ratio": lambda run, x, y: D.update_ratio(run, x, y, steps=2),
    "initial_loss": lambda run, x, y: D.initial_loss(run, x, y),
    "learning_rate_range": lambda run, x, y: D.learning_rate_range(run, x, y, steps=6),
    "compare_rates": lambda run, x, y: D.compare_rates(run, x, y, [1e-3, 0.1], epochs=1),
    "overfit_small": lambda run, x, y: D.overfit_small(run, x, y, steps=3, examples=9),
    "generalisation": lambda run, x, y: D.generalisation(run, x, y, epochs=2, validation_split=0.5),
}


def two_of_each():
    a, b = db.Input((4,), name="a"), db.Input((3,), dtype="int32", name="b")
    words = db.Flatten()(db.Embedding(7, 5)(b))
    h = db.Concatenate()(db.Dense(8, "relu")(a), words)
    kind, size = db.Dense(3, "softmax", name="kind")(h), db.Dense(1, name="size")(h)
    heads = [
        db.Head("kind", "sparse_categorical_crossentropy", metrics=["accuracy"]),
        db.Head("size", "mse", weight=0.3),
    ]
    groups = db.ParameterGroups({"*/kernel": db.SGD(0.1), "*": db.Adam(0.01)})
    x = RNG.normal(size=(16, 4)).astype(np.float32), RNG.integers(0, 7, (16, 3))
    y = RNG.integers(0, 3, 16), RNG.normal(size=(16, 1))
    experiment = db.Experiment(db.Model([a, b], [kind, size]), heads, groups)
    return experiment, dict(zip("ab", x, strict=True)), dict(zip(("kind", "size"), y, strict=True))


def lists():
    experiment, x, y = two_of_each()
    return experiment, list(x.values()), list(y.values())


def stateful():
    inputs = db.Input((3, 4), batch_size=4)
    model = db.Sequential([inputs, db.LSTM(5, stateful=True), db.Dense(1)])
    x, y = RNG.normal(size=(16, 3, 4)), RNG.normal(size=(16, 1))
    return db.Experiment(model, "mse", "sgd"), x, y


def accumulating():
    layers = db.Embedding(10, 4, mask_zero=True), db.Bidirectional(db.LSTM(4, dropout=0.2))
    model = db.Sequential([db.Input((6,), dtype="int32"), *layers, db.Dense(1, "sigmoid")])
    experiment = db.Experiment(
        model,
        "binary_crossentropy",
        "adam",
        accumulate=2,
        gradients=[db.ClipByGlobalNorm(1.0)],
        loss_scale=db.DynamicLossScale(),
    )
    return experiment, RNG.integers(0, 10, (16, 6)), RNG.integers(0, 2, (16, 1)) * 1.0


@pytest.mark.parametrize("case", [two_of_each, lists, stateful, accumulating])
@pytest.mark.parametrize("name", DIAGNOSES)
def test_every_diagnosis_takes_it_and_leaves_it(name, case):
    experiment, x, y = case()
    run = db.compile(experiment, "reference")
    run.fit(x, y, verbose=0)
    before = kept(run)
    found = DIAGNOSES[name](run, x, y)
    assert same(before, kept(run))
    assert found.verdict
    assert found.table()
    run.fit(x, y, verbose=0)
    other = db.compile(experiment, "reference")
    other.fit(x, y, epochs=2, verbose=0)
    assert same(kept(other)[:1], kept(run)[:1])


def test_a_loss_of_steps_starts_at_log_c():
    small = db.RandomNormal(stddev=1e-3)
    layers = db.Dense(3, "softmax", kernel_initializer=small)
    loss = db.TimeDistributedLoss(db.SparseCategoricalCrossentropy())
    experiment = db.Experiment(db.Sequential([db.Input((5, 4)), layers]), loss, "sgd")
    x, y = RNG.normal(size=(16, 5, 4)), RNG.integers(0, 3, (16, 5))
    found = D.initial_loss(experiment, x, y, backend="reference")
    assert found.ok
    assert found.expected == pytest.approx(math.log(3), rel=1e-6)


def test_rows_of_arrays_lists_and_dictionaries():
    a, b = np.arange(6).reshape(3, 2), np.arange(3)
    assert rows(a, [0, 2]).tolist() == [[0, 1], [4, 5]]
    assert rows([[1, 2], [3, 4]], [1]).tolist() == [[3, 4]]
    assert [each.tolist() for each in rows([a, b], [1])] == [[[2, 3]], [1]]
    assert rows({"b": b}, [2])["b"].tolist() == [2]
    assert [len(each) for each in arrays_of({"a": a, "b": b})] == [3, 3]


class Sliced:
    """Rows that are read by slices alone, as of a file."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __len__(self):
        return len(self.array)

    def __getitem__(self, key):
        assert isinstance(key, slice)
        return self.array[key]


def of_pandas(x, y):
    pandas = pytest.importorskip("pandas")
    index = np.arange(100, 100 + len(x))  # rows are counted by place, not by label
    return pandas.DataFrame(x, index=index), pandas.Series(y[:, 0], index=index)


def of_polars(x, y):
    polars = pytest.importorskip("polars")
    return polars.DataFrame(x), polars.Series(y[:, 0])


def of_scipy(x, y):
    return pytest.importorskip("scipy.sparse").coo_array(x), y


def of_slices(x, y):
    return Sliced(x), Sliced(y)


@pytest.mark.parametrize("form", [of_pandas, of_polars, of_scipy, of_slices])
def test_data_in_another_form_give_the_same_diagnosis(form):
    x = RNG.normal(size=(40, 4)).astype(np.float32) * (RNG.random((40, 4)) < 0.5)
    y = np.abs(x).sum(axis=1, keepdims=True)
    model = db.Sequential([db.Input((4,)), db.Dense(8, "relu"), db.Dense(1)])
    run = db.compile(db.Experiment(model, "mse", "adam"), "reference")
    given = form(x, y)
    for name, diagnose in DIAGNOSES.items():
        assert diagnose(run, *given).table() == diagnose(run, x, y).table(), name


def test_several_frames_are_several_inputs():
    pandas = pytest.importorskip("pandas")
    a, b = pandas.DataFrame({"u": [1.0, 2.0], "v": [3.0, 4.0]}), pandas.Series([5, 6])
    first, second = rows([a, b], np.array([1]))
    assert (first.to_numpy().tolist(), second.tolist()) == ([[2.0, 4.0]], [6])
    assert count_of([a, b]) == count_of({"a": a}) == 2
    assert [each.shape for each in arrays_of((a, b))] == [(2, 2), (2,)]


def test_batches_are_refused_in_words():
    model = db.Sequential([db.Input((4,)), db.Dense(1)])
    run = db.compile(db.Experiment(model, "mse", "adam"), "reference")
    batches = [(np.ones((3, 4)), np.ones((3, 1)))]
    with pytest.raises(DataError, match="this call takes arrays, such as those of one batch"):
        D.activations(run, batches)

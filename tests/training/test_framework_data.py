"""Data sets of TensorFlow, MindSpore and Keras, and loaders like PyTorch's, by public iterators."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import DataError
from dnnbridge.training.sources.recognising import source_of

RNG = np.random.default_rng(2)
X = RNG.normal(size=(22, 3)).astype(np.float32)
Y = (X @ [[1.0], [-2.0], [0.5]]).astype(np.float32)
WEIGHTS = RNG.uniform(0.5, 2.0, 22).astype(np.float32)


def make(backend="reference"):
    model = db.Sequential([db.Input((3,)), db.Dense(1, kernel_initializer="zeros")])
    return db.compile(db.Experiment(model, "mse", db.SGD(0.1), metrics=["mae"]), backend)


def expected(epochs=3, **given):
    run = make()
    history = run.fit(X, Y, 4, epochs, (X, Y), shuffle=False, verbose=0, **given).history
    return run, history


def assert_same(run, history, witness, rtol=2e-5):
    wanted, losses = witness
    assert history.history.keys() == losses.keys()
    for name, values in losses.items():
        np.testing.assert_allclose(history.history[name], values, rtol=rtol, err_msg=name)
    for name, array in wanted.weights().items():
        np.testing.assert_allclose(run.weights()[name], array, rtol=rtol, atol=1e-6, err_msg=name)


def test_tf_data_on_tensorflow():
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)
    assert source_of(data).steps == 6
    run = make("tensorflow")
    history = run.fit(data, epochs=3, validation_data=data.prefetch(1), verbose=0)
    assert_same(run, history, expected())
    compiled = run.compilations
    assert run.evaluate(data)["loss"] == pytest.approx(run.evaluate(X, Y)["loss"], rel=1e-5)
    np.testing.assert_allclose(run.predict(data), run.predict(X), rtol=1e-5, atol=1e-6)
    inputs = tf.data.Dataset.from_tensor_slices({"input": X}).batch(5)
    np.testing.assert_allclose(
        run.predict(inputs.map(lambda row: row["input"])), run.predict(X), 1e-5
    )
    run.fit(data, verbose=0)
    assert compiled <= run.compilations <= compiled + 4
    with pytest.raises(DataError, match=r"never ends, got .*Dataset.*steps_per_epoch=100"):
        run.fit(data.repeat())
    with pytest.raises(DataError, match=r"never ends.*dataset.take\(100\)"):
        run.evaluate(data.repeat())
    endless = make()
    history = endless.fit(data.repeat(), epochs=3, steps_per_epoch=6, verbose=0)
    assert history.history["loss"] == pytest.approx(expected()[1]["loss"], rel=1e-6)
    with pytest.raises(DataError, match=r"batch 1: x: needs one row per example.*dataset.batch"):
        make().fit(tf.data.Dataset.from_tensor_slices((X, Y)), verbose=0)


def test_mindspore_dataset_on_mindspore():
    pytest.importorskip("mindspore")
    import mindspore.dataset as ds

    def data(**columns):
        return ds.NumpySlicesDataset(columns, shuffle=False).batch(4)

    run = make("mindspore")
    history = run.fit(data(x=X, y=Y), epochs=3, validation_data=data(x=X, y=Y), verbose=0)
    assert_same(run, history, expected())
    np.testing.assert_allclose(run.predict(data(x=X)), run.predict(X), rtol=1e-5, atol=1e-6)
    weighted = data(image=X, label=Y, weight=WEIGHTS)
    found = make().fit(weighted, epochs=3, validation_data=data(x=X, y=Y), verbose=0)
    assert found.history == expected(sample_weight=WEIGHTS)[1]
    with pytest.raises(DataError, match="never ends"):
        run.fit(data(x=X, y=Y).repeat())
    with pytest.raises(DataError, match=r"batch 1: needs the inputs .*got columns x, y, a, b"):
        make().fit(data(x=X, y=Y, a=Y, b=Y), verbose=0)


def test_columns_of_mindspore_with_the_names_of_inputs():
    pytest.importorskip("mindspore")
    import mindspore.dataset as ds

    a, b = db.Input((3,), name="a"), db.Input((1,), name="b")
    outputs = db.Dense(1)(db.Concatenate()([a, b]))
    experiment = db.Experiment(db.Model([a, b], outputs), "mse", db.SGD(0.1))
    named, arrays = (db.compile(experiment, "reference") for _ in range(2))
    columns = {"label": Y, "b": X[:, :1], "a": X}
    named.fit(ds.NumpySlicesDataset(columns, shuffle=False).batch(4), verbose=0)
    arrays.fit({"a": X, "b": X[:, :1]}, Y, 4, shuffle=False, verbose=0)
    for name, array in arrays.weights().items():
        np.testing.assert_array_equal(named.weights()[name], array)


@pytest.fixture
def batches_of_keras():
    keras = pytest.importorskip("keras")

    class Batches(keras.utils.PyDataset):
        def __init__(self, **given):
            super().__init__(**given)
            self.read, self.heard = [], []

        def __len__(self):
            return 6

        def __getitem__(self, k):
            self.read.append(k)
            return X[4 * k : 4 * k + 4], Y[4 * k : 4 * k + 4]

        def on_epoch_begin(self):
            self.heard.append("begin")

        def on_epoch_end(self):
            self.heard.append(f"end {len(self.read)}")

    return Batches


def test_py_dataset(batches_of_keras):
    """Keras' own fit with the same object is the witness."""
    import keras

    model = keras.Sequential([keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    theirs = model.fit(
        batches_of_keras(),
        epochs=3,
        validation_data=batches_of_keras(),
        shuffle=False,
        verbose=0,
    ).history
    data, run = batches_of_keras(), make()
    ours = run.fit(
        data, epochs=3, validation_data=batches_of_keras(), shuffle=False, verbose=0
    ).history
    for name, values in theirs.items():
        own = name.replace("mae", "mean_absolute_error")
        np.testing.assert_allclose(ours[own], values, rtol=2e-5, err_msg=name)
    assert data.read == [*range(6)] * 3
    assert data.heard == ["begin", "end 6", "begin", "end 12", "begin", "end 18"]
    np.testing.assert_allclose(run.predict(data), run.predict(X), rtol=1e-6)


def test_py_dataset_is_shuffled_and_goes_on(batches_of_keras):
    class Stop(db.Callback):
        every_steps = 1

        def on_steps_end(self, run, losses):
            if run.position.step == 8:
                run.stop()

    whole, stopped, data = make(), make(), batches_of_keras()
    whole.fit(batches_of_keras(), epochs=2, verbose=0)
    stopped.fit(data, epochs=2, callbacks=[Stop()], verbose=0)
    assert [each for each in data.heard if "end" in each] == ["end 7"]  # and one batch for its size
    again = batches_of_keras()
    stopped.fit(again, verbose=0)
    assert len(again.read) == 1 + 4
    for name, array in whole.state().items():
        np.testing.assert_array_equal(stopped.state()[name], array)


class Tensor:
    """Has what NumPy asks of a tensor of PyTorch."""

    def __init__(self, array):
        self.array, self.shape = array, array.shape

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.array, dtype)

    def __len__(self):
        return len(self.array)

    def __getitem__(self, rows):
        return Tensor(self.array[rows])


class DataLoader:
    """Begins again, has a length, and gives lists of tensors, as PyTorch's loader does."""

    def __len__(self):
        return 6

    def __iter__(self):
        return iter([[Tensor(X[k : k + 4]), Tensor(Y[k : k + 4])] for k in range(0, 22, 4)])


class StreamLoader(DataLoader):
    """A loader of a stream, whose length raises, as PyTorch's does."""

    def __len__(self):
        raise TypeError("object of type 'Stream' has no len()")


@pytest.mark.parametrize("loader", [DataLoader, StreamLoader])
def test_a_loader_like_pytorchs(loader):
    run = make()
    history = run.fit(loader(), epochs=3, validation_data=loader(), verbose=0)
    assert_same(run, history, expected(), rtol=1e-7)
    np.testing.assert_allclose(run.predict(loader()), run.predict(X), rtol=1e-6)


IMPORTS_NOTHING = """
import sys
import numpy as np
import dnnbridge as db

model = db.Sequential([db.Input((3,)), db.Dense(1)])
run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
x, y = np.ones((8, 3)), np.ones((8, 1))
run.fit([(x, y)], epochs=2, validation_data=[(x, y)] * 3, verbose=0)
run.fit(iter([(x, y)]), verbose=0)
run.fit(db.Shuffled([(x, y)], 4), verbose=0)
run.fit(x, y, verbose=0)
run.predict(iter([x]))
others = "tensorflow", "mindspore", "keras", "torch", "pandas", "polars", "scipy", "h5py"
print([name for name in others if name in sys.modules])
"""


def test_no_package_is_imported_for_it():
    made = subprocess.run(
        [sys.executable, "-c", IMPORTS_NOTHING], capture_output=True, text=True, check=True
    )
    assert made.stdout.strip() == "[]"

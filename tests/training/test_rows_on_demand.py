"""Frames, sparse rows and files as arrays: the same run as NumPy, and never all rows at once."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import DataError, DnnbridgeError
from dnnbridge.training.checking import stored

RNG = np.random.default_rng(1)
X = RNG.normal(size=(22, 3)).astype(np.float32)
X[RNG.random(X.shape) < 0.4] = 0.0
Y = (X @ [[1.0], [-2.0], [0.5]]).astype(np.float32)


def make():
    model = db.Sequential([db.Input((3,)), db.Dense(4, "tanh"), db.Dense(1)])
    return db.compile(db.Experiment(model, "mse", db.Adam(0.05), metrics=["mae"]), "reference")


class Sliced:
    """Rows that can only be read by slices, as those of a compressed file."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.reads = []

    def __len__(self):
        return len(self.array)

    def __getitem__(self, rows):
        assert isinstance(rows, slice)
        made = self.array[rows].copy()
        self.reads.append(len(made))
        return made

    @property
    def ndim(self):
        return self.array.ndim


def mapped(array, folder):
    path = folder / f"{array.dtype}-{array.shape}.npy"
    np.save(path, array)
    return np.load(path, mmap_mode="r")


def in_files(x, y, folder):
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "rows.h5", "w") as file:
        file["x"], file["y"] = x, y
    file = h5py.File(folder / "rows.h5")
    return file["x"], file["y"]


def in_shards(x, y, folder):
    for k, part in enumerate([slice(0, 9), slice(9, 10), slice(10, None)]):
        np.savez(folder / f"{k}.npz", x=x[part], y=y[part])
    shards = db.Shards(folder)
    return shards["x"], shards["y"]


def of_pandas(x, y, folder):
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(x, columns=list("abc")), pandas.Series(y[:, 0])


def of_polars(x, y, folder):
    polars = pytest.importorskip("polars")
    return polars.DataFrame(x, schema=list("abc")), polars.Series("y", y[:, 0])


def sparse(kind):
    def make_sparse(x, y, folder):
        found = pytest.importorskip("scipy.sparse")
        return getattr(found, kind)(x), y

    return make_sparse


KINDS = {
    "pandas": of_pandas,
    "polars": of_polars,
    "csr": sparse("csr_matrix"),
    "coo": sparse("coo_array"),
    "memmap": lambda x, y, folder: (mapped(x, folder), mapped(y, folder)),
    "memmap-float64": lambda x, y, folder: (mapped(x.astype(float), folder), y),
    "shards": in_shards,
    "h5py": in_files,
    "slices": lambda x, y, folder: (Sliced(x), Sliced(y)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_run_as_with_arrays(kind, tmp_path):
    x, y = KINDS[kind](X, Y, tmp_path)
    expected, found = make(), make()
    given = {"epochs": 2, "validation_split": 0.2, "verbose": 0}
    one, other = expected.fit(X, Y, 4, **given), found.fit(x, y, 4, **given)
    for name, array in expected.state().items():
        np.testing.assert_array_equal(found.state()[name], array, err_msg=name)
    assert one.history == other.history
    np.testing.assert_array_equal(found.predict(x), expected.predict(X))
    assert found.evaluate(x, y) == expected.evaluate(X, Y)
    found.fit(X, Y, 4, 1, (x, y), verbose=0)


@pytest.mark.parametrize("kind", ["csr", "memmap", "memmap-float64", "shards", "h5py", "slices"])
def test_a_wrong_number_is_found_when_it_is_read(kind, tmp_path):
    wrong = X.copy()
    wrong[17, 1] = np.nan
    run = make()
    with pytest.raises(DataError) as caught:
        run.fit(KINDS[kind](wrong, Y, tmp_path)[0], Y, 4, verbose=0, steps_per_call=1)
    assert str(caught.value).startswith("x[17, 1]: holds NaN or infinity, got nan. ")
    assert len(run.history.step_losses) == run.position.step < 6
    run.fit(X, Y, 4, verbose=0)


def test_labels_in_a_file():
    model = db.Sequential([db.Input((3,)), db.Dense(3, "softmax")])
    experiment = db.Experiment(model, "sparse_categorical_crossentropy", db.SGD(0.1))
    labels = np.arange(22) % 3
    expected, found = (db.compile(experiment, "reference") for _ in range(2))
    expected.fit(X, labels, 4, class_weight={1: 2.0}, verbose=0)
    found.fit(Sliced(X), Sliced(labels), 4, class_weight={1: 2.0}, verbose=0)
    for name, array in expected.weights().items():
        np.testing.assert_array_equal(found.weights()[name], array)
    with pytest.raises(DataError, match=r"^y\[21\]: labels must be from 0 to 2, got 3"):
        found.fit(Sliced(X), Sliced(np.where(np.arange(22) == 21, 3, labels)), 4, verbose=0)


def test_a_table_of_rows_in_a_file():
    words = db.Input((3,), "int32")
    model = db.Model(words, db.GlobalAveragePooling1D()(db.Embedding(5, 2)(words)))
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    numbers = np.arange(12).reshape(4, 3) % 5
    np.testing.assert_array_equal(run.predict(Sliced(numbers)), run.predict(numbers))
    with pytest.raises(DataError, match=r"x\[3, 2\]: row numbers of the table must be from 0 to 4"):
        run.predict(Sliced(np.where(np.arange(12) == 11, 7, np.arange(12) % 5).reshape(4, 3)))


BAD_SHAPES = {
    "columns": (lambda: Sliced(X[:, :2]), "x: needs shape (batch, 3), got shape (22, 2)"),
    "dtype": (lambda: Sliced(X.astype(int)), "x: needs floating-point values, got dtype int64"),
    "rows": (lambda: Sliced(X[:9]), "x and y: need the same, non-zero number of rows"),
}


@pytest.mark.parametrize("name", BAD_SHAPES)
def test_a_shape_is_checked_before_anything_is_read(name):
    given, message = BAD_SHAPES[name]
    x = given()
    with pytest.raises(DnnbridgeError) as caught:
        make().fit(x, Y)
    assert message in str(caught.value)
    assert not x.reads


def test_reads_from_a_file_are_few_and_small(monkeypatch):
    array = RNG.normal(size=(1000, 100))
    rows = Sliced(array)
    monkeypatch.setattr(stored, "READ", 100 * 800)
    numbers = RNG.permutation(1000)[:300]
    np.testing.assert_array_equal(stored._in_pieces(rows, numbers), array[numbers])
    assert max(rows.reads) <= 100
    assert len(rows.reads) <= 11
    rows.reads.clear()
    np.testing.assert_array_equal(
        stored._in_pieces(rows, np.array([3, 3, 900])), array[[3, 3, 900]]
    )
    assert rows.reads == [1, 1]


@pytest.mark.parametrize("call", ["fit", "evaluate", "predict"])
def test_a_large_file_is_never_in_memory(call, tmp_path):
    """256 MiB of zeros, which need no room on the disk, with at most a quarter of it in memory."""
    rows, sizes = 2**16, (512,)
    x = np.memmap(tmp_path / "x", np.float64, "w+", shape=(rows, *sizes))
    y = np.memmap(tmp_path / "y", np.float32, "w+", shape=(rows, 1))
    model = db.Sequential([db.Input(sizes), db.Dense(1)])
    run = db.compile(db.Experiment(model, "mse", db.SGD(0.1)), "reference")
    tracemalloc.start()
    if call == "fit":
        run.fit(x, y, 256, validation_split=0.1, validation_freq=9, verbose=0)
    elif call == "evaluate":
        run.evaluate(x, y)
    else:
        assert run.predict(x).shape == (rows, 1)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < x.nbytes / 4


def test_a_map_is_read_from_its_file(tmp_path):
    """Also parts of it, and what was changed in memory; else the map itself is read."""
    array = np.memmap(tmp_path / "x", np.float32, "w+", offset=4100, shape=(9, 5))
    array[:] = np.arange(45).reshape(9, 5)
    order = np.array([3, 0, 3, 1])
    for part in (array, array[2:], array[2:].reshape(-1, 7), array[4:8].T, array[::2]):
        read = stored.gathering(part)
        assert hasattr(read, "file") == part.flags.c_contiguous
        np.testing.assert_array_equal(read(order), part[order])
    read = stored.gathering(array)
    array[3] = -1
    np.testing.assert_array_equal(read(order), array[order])
    own = np.memmap(tmp_path / "x", np.float32, "c", offset=4100, shape=(9, 5))
    own[3] = -2
    np.testing.assert_array_equal(stored.gathering(own)(order), own[order])
    (tmp_path / "new").write_bytes(bytes(5000))
    (tmp_path / "new").rename(tmp_path / "x")  # another file with the name of the mapped one
    (tmp_path / "x (deleted)").write_bytes(bytes(5000))  # what Linux calls the mapped one now
    np.testing.assert_array_equal(stored.gathering(array)(order), array[order])
    np.testing.assert_array_equal(read(order), array[order])
    assert array[3, 0] == -1


def test_a_training_in_shards_goes_on_at_its_example(tmp_path):
    class Stop(db.Callback):
        every_steps = 1

        def on_steps_end(self, run, losses):
            if run.position.step == 8:
                run.stop()

    x, y = in_shards(X, Y, tmp_path)
    whole, stopped = make(), make()
    whole.fit(X, Y, 4, 2, verbose=0)
    stopped.fit(x, y, 4, 2, callbacks=[Stop()], verbose=0)
    path = stopped.save(tmp_path / "run.safetensors")
    again = db.load(path, "reference")
    again.fit(x, y, 4, 1, verbose=0)
    assert again.position == whole.position
    for name, array in whole.state().items():
        np.testing.assert_array_equal(again.state()[name], array, err_msg=name)


def test_shards_instead_of_an_array(tmp_path):
    in_shards(X, Y, tmp_path)
    shards = db.Shards(tmp_path)
    with pytest.raises(DataError, match="the model has the inputs x, got x, y"):
        make().fit(shards, Y)


def test_a_sparse_matrix_is_never_dense():
    """It would have 160 MB."""
    scipy = pytest.importorskip("scipy.sparse")
    rows, columns = 20_000, 2_000
    places = (np.arange(rows), np.arange(rows) % columns)
    x = scipy.csr_matrix((np.ones(rows, np.float32), places), shape=(rows, columns))
    y = np.ones((rows, 1), np.float32)
    model = db.Sequential([db.Input((columns,)), db.Dense(1)])
    run = db.compile(db.Experiment(model, "mse", db.SGD(0.1)), "reference")
    tracemalloc.start()
    run.fit(x, y, 256, steps_per_epoch=20, verbose=0)
    assert run.predict(x).shape == (rows, 1)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100e6


def test_frames_whose_columns_are_inputs():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    city, size = db.Input((), "int32", name="city"), db.Input((1,), name="size")
    both = db.Concatenate()([db.Embedding(5, 3)(city), size])
    model = db.Model([city, size], [db.Dense(1, name="p")(both), db.Dense(1, name="q")(both)])
    heads = [db.Head("p", "mse"), db.Head("q", "mse")]
    run = db.compile(db.Experiment(model, heads, "sgd"), "reference")
    columns = {"size": X[:, 0], "city": np.arange(22) % 5}
    labels = {"p": Y[:, 0], "q": X[:, 1]}
    expected = run.predict({"city": columns["city"], "size": X[:, :1]})
    for frame in (pandas.DataFrame, polars.DataFrame):
        found = run.predict(frame(columns))
        np.testing.assert_array_equal(found["p"], expected["p"])
        losses = run.evaluate(frame(columns), frame(labels))
        assert losses["q_loss"] == pytest.approx(np.mean((expected["q"] - X[:, 1:2]) ** 2))
        with pytest.raises(DataError, match="the model has the inputs city, size, got size"):
            run.predict(frame({"size": X[:, 0]}))


def test_weights_for_each_output_are_columns_of_a_frame():
    pandas = pytest.importorskip("pandas")
    x = db.Input((3,))
    model = db.Model(x, [db.Dense(1, name="a")(x), db.Dense(1, name="b")(x)])
    heads = [db.Head("a", "mse"), db.Head("b", "mse", weighted_metrics=["mae"])]
    run = db.compile(db.Experiment(model, heads, "sgd"), "reference")
    weights = {"a": np.arange(22.0), "b": np.arange(22.0)[::-1]}
    data = X, [X[:, :1], X[:, 1:2]]
    found = run.evaluate(*data, sample_weight=pandas.DataFrame(weights))
    assert found == run.evaluate(*data, sample_weight=weights)
    assert found == run.evaluate(*data, sample_weight=list(weights.values()))
    assert found != run.evaluate(*data)
    same = run.evaluate(*data, sample_weight=pandas.Series(weights["a"]))
    assert same == run.evaluate(*data, sample_weight=dict.fromkeys("ab", weights["a"]))


def frames_with_problems():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    frame = pandas.DataFrame(X[:, :2], columns=["a", "b"])
    codes = '.astype("category").cat.codes'
    yield frame.assign(city=["u", "v"] * 11), "x['city']: needs numbers, got dtype", codes
    yield frame.assign(city=pandas.Categorical(["u", "v"] * 11)), "got dtype category", codes
    yield frame.assign(when=pandas.date_range("2020", periods=22)), "x['when']", "days since"
    yield (
        frame.assign(n=pandas.array([1, None] * 11, dtype="Int64")),
        "x['n'], row 1: holds NaN",
        "",
    )
    yield frame.set_axis(["a", "a"], axis=1), "x: has two columns of one name, got 'a'", ""
    yield frame.astype(int).assign(c=1), 'x.astype("float32")', "floating-point"
    texts = polars.DataFrame({"a": X[:, 0], "b": X[:, 1], "city": ["u"] * 22})
    yield texts, "x['city']: needs numbers, got dtype String", "to_dummies()"
    yield texts.lazy(), "x: is a query without numbers, got a LazyFrame", "x.collect()"
    missing = polars.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": [None] + [1] * 21})
    yield missing, "x['c'], row 0: holds NaN", ""
    yield polars.DataFrame(X.astype(int)), 'np.asarray(x, "float32")', "floating-point"


def test_columns_that_are_no_numbers_are_named():
    for frame, *words in frames_with_problems():
        with pytest.raises(DnnbridgeError) as caught:
            make().fit(frame, Y)
        assert all(word in str(caught.value) for word in words), str(caught.value)

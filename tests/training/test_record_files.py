"""TFRecord and MindRecord, through the readers of the frameworks: the run of the arrays."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db

RNG = np.random.default_rng(3)
X = RNG.normal(size=(22, 3)).astype(np.float32)
Y = (np.abs(X).argmax(1)).astype(np.int32)
WEIGHTS = RNG.uniform(0.5, 2.0, 22).astype(np.float32)
BACKENDS = ("reference", "tensorflow", "mindspore")


def make(backend):
    if backend != "reference":
        pytest.importorskip(backend)
    model = db.Sequential([db.Input((3,)), db.Dense(4, "tanh"), db.Dense(3, "softmax")])
    loss = "sparse_categorical_crossentropy"
    return db.compile(db.Experiment(model, loss, db.Adam(0.05), metrics=["accuracy"]), backend)


def tfrecord(folder, parts=1):
    """Return the batches of files of records: those of a part have the rows that follow."""
    tf = pytest.importorskip("tensorflow")

    def numbers(values):
        return tf.train.Feature(float_list=tf.train.FloatList(value=np.ravel(values)))

    for k, rows in enumerate(np.array_split(np.arange(22), parts)):
        with tf.io.TFRecordWriter(str(folder / f"{k}.tfrecord")) as writer:
            for row in rows:
                label = tf.train.Feature(int64_list=tf.train.Int64List(value=[Y[row]]))
                feature = {"x": numbers(X[row]), "y": label, "weight": numbers(WEIGHTS[row])}
                example = tf.train.Example(features=tf.train.Features(feature=feature))
                writer.write(example.SerializeToString())
    columns = {
        "x": tf.io.FixedLenFeature([3], tf.float32),
        "y": tf.io.FixedLenFeature([], tf.int64),
        "weight": tf.io.FixedLenFeature([], tf.float32),
    }
    names = [str(folder / f"{k}.tfrecord") for k in range(parts)]
    return tf.data.TFRecordDataset(names).map(
        lambda record: tuple(tf.io.parse_single_example(record, columns)[name] for name in columns)
    )


def mindrecord(folder, parts=1):
    """Write records, and return what reads some of their columns."""
    pytest.importorskip("mindspore")
    from mindspore.dataset import MindDataset
    from mindspore.mindrecord import FileWriter

    path = str(folder / "train.mindrecord")
    writer = FileWriter(path, parts)
    columns = {"x": {"type": "float32", "shape": [3]}, "y": {"type": "int32"}}
    writer.add_schema(columns | {"weight": {"type": "float32"}}, "rows")
    writer.write_raw_data(
        [{"x": X[k], "y": int(Y[k]), "weight": float(WEIGHTS[k])} for k in range(22)]
    )
    writer.commit()
    first = path if parts == 1 else f"{path}0"  # which names all of them
    return lambda *names: MindDataset(first, columns_list=list(names), shuffle=False)


def assert_same(run, history, **given):
    """Compare a training with that of the arrays on the same backend: every bit is equal."""
    wanted = make(run.backend)
    losses = wanted.fit(X, Y, 4, 3, (X, Y), shuffle=False, verbose=0, **given)
    assert history.history == losses.history
    assert history.step_losses == losses.step_losses
    for name, array in wanted.state().items():
        np.testing.assert_array_equal(run.state()[name], array, err_msg=name)


@pytest.mark.parametrize("backend", BACKENDS)
def test_tfrecord(backend, tmp_path):
    run, records = make(backend), tfrecord(tmp_path)
    data = records.map(lambda x, y, weight: (x, y)).batch(4)
    history = run.fit(data, epochs=3, validation_data=data, verbose=0)
    assert_same(run, history)
    np.testing.assert_array_equal(run.predict(data), run.predict(X, batch_size=4))
    weighted = make(backend)
    history = weighted.fit(records.batch(4), epochs=3, validation_data=data, verbose=0)
    assert_same(weighted, history, sample_weight=WEIGHTS)


@pytest.mark.parametrize("backend", BACKENDS)
def test_mindrecord(backend, tmp_path):
    run, records = make(backend), mindrecord(tmp_path)
    data = records("x", "y").batch(4)
    history = run.fit(data, epochs=3, validation_data=data, verbose=0)
    assert_same(run, history)
    inputs = run.predict(records("x").batch(4))
    np.testing.assert_array_equal(inputs, run.predict(X, batch_size=4))
    weighted = make(backend)
    history = weighted.fit(
        records("x", "y", "weight").batch(4), epochs=3, validation_data=data, verbose=0
    )
    assert_same(weighted, history, sample_weight=WEIGHTS)


@pytest.mark.parametrize("kind", ["tfrecord", "mindrecord"])
def test_several_files_shuffled_by_a_buffer(kind, tmp_path):
    if kind == "tfrecord":
        data = tfrecord(tmp_path, 3).map(lambda x, y, weight: (x, y)).batch(4)
    else:
        data = mindrecord(tmp_path, 2)("x", "y").batch(4)
    runs = [make("reference") for _ in range(2)]
    for run in runs:
        run.fit(db.Shuffled(data, buffer=22, seed=1), epochs=2, verbose=0)
    assert runs[0].history.step_losses == runs[1].history.step_losses
    assert len(runs[0].history.step_losses) == 12
    losses = runs[0].evaluate(data)
    assert losses == pytest.approx(runs[0].evaluate(X, Y), rel=1e-6)

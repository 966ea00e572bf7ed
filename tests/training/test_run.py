"""The runtime: what fit, evaluate and predict mean, on the reference."""

from __future__ import annotations

import logging
import time

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.base import randomness
from dnnbridge.emit.declarations import MASK, NORMALIZER
from dnnbridge.errors import DataError
from dnnbridge.training.feeding.ahead import ahead
from dnnbridge.training.feeding.batches import Batches
from dnnbridge.training.feeding.buffers import Buffers
from dnnbridge.training.position import Position

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(23, 4)), RNG.integers(0, 3, 23)


def make(seed=0, **changes) -> db.Run:
    model = db.Sequential([db.Input((4,)), db.Dense(6, "tanh"), db.Dropout(0.2), db.Dense(3)])
    given = {
        "model": model,
        "loss": db.SparseCategoricalCrossentropy(from_logits=True),
        "optimizer": db.SGD(0.1, momentum=0.9),
        "metrics": ["accuracy", "loss"],
        "seed": seed,
    }
    return db.compile(db.Experiment(**(given | changes)), backend="reference")


def assert_equal_states(a: db.Run, b: db.Run) -> None:
    for name, array in a.state().items():
        np.testing.assert_array_equal(b.state()[name], array, err_msg=name)
    assert a.position == b.position


def test_fit_twice_is_fit_longer():
    whole, parts = make(), make()
    expected = whole.fit(X, Y, 5, 5)
    first, second = parts.fit(X, Y, 5, 3), parts.fit(X, Y, 5, 2)
    assert_equal_states(whole, parts)
    assert first.history["loss"] + second.history["loss"] == expected.history["loss"]
    assert second.epochs == [3, 4]


def test_one_step_by_hand():
    model = db.Sequential([db.Input((4,)), db.Dense(2)])
    run = make(model=model, loss=db.MeanSquaredError(), optimizer=db.SGD(0.5), metrics=[])
    y = RNG.normal(size=(3, 2))
    before = run.parameters()
    x = X[:3].astype(np.float32).astype(float)
    error = x @ before["dense/kernel"] + before["dense/bias"] - y.astype(np.float32)
    history = run.fit(X[:3], y, batch_size=3)
    assert history.step_losses == pytest.approx([np.mean(error**2)])
    kernel = before["dense/kernel"] - 0.5 * x.T @ (2 * error / 6)
    np.testing.assert_allclose(run.parameters()["dense/kernel"], kernel, rtol=1e-12)


def test_last_short_batch_is_a_mean_over_its_own_examples():
    model = db.Sequential([db.Input((4,)), db.Dense(3)])
    a, b = make(model=model), make(model=model)
    a.fit(X[:8], Y[:8], batch_size=5, shuffle=False)
    for part in (slice(0, 5), slice(5, 8)):
        b.fit(X[part], Y[part], batch_size=8, shuffle=False)
    np.testing.assert_allclose(a.parameters()["dense/kernel"], b.parameters()["dense/kernel"])


def test_history_is_the_mean_over_examples():
    run = make(model=db.Sequential([db.Input((4,)), db.Dense(3)]), optimizer=db.SGD(1e-30))
    history = run.fit(X, Y, batch_size=5, epochs=2, validation_data=(X, Y))
    expected = run.evaluate(X, Y)
    for name, value in expected.items():
        assert history.history[name] == pytest.approx([value, value])
        assert history.history[f"val_{name}"] == pytest.approx([value, value])
    assert expected.keys() == {"loss", "accuracy"}


@pytest.mark.parametrize("batch_size", [1, 7, 23, 100])
def test_evaluate_and_predict_do_not_depend_on_batch_size(batch_size):
    run = make()
    assert run.evaluate(X, Y, batch_size) == pytest.approx(run.evaluate(X, Y))
    np.testing.assert_allclose(run.predict(X, batch_size), run.predict(X))
    assert run.predict(X[:0], batch_size).shape == (0, 3)


def test_parameters_are_copies_in_layer_order():
    run = make()
    names = ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]
    assert list(run.parameters()) == names
    run.parameters()["dense/kernel"][:] = 7
    assert not (run.parameters()["dense/kernel"] == 7).any()
    run.set_parameters({"dense/bias": np.arange(6.0)})
    assert run.parameters()["dense/bias"].tolist() == [0, 1, 2, 3, 4, 5]


def test_seeds_decide():
    assert_equal_states(make(1), make(1))
    assert not np.array_equal(
        make(1).parameters()["dense/kernel"], make(2).parameters()["dense/kernel"]
    )


def test_shuffles_differ_by_epoch_and_cover_all():
    orders = [randomness.permutation(0, epoch, 23) for epoch in range(3)]
    assert all(sorted(order) == list(range(23)) for order in orders)
    assert not np.array_equal(orders[0], orders[1])


def test_streams_are_stable():
    """The bits of a stream must not change, or resuming every saved run would break."""
    draws = randomness.generator(7, "initial", "dense/kernel").integers(0, 2**32, 3)
    assert draws.tolist() == [2394377392, 3400446533, 4202955846]


def test_dropout_masks_do_not_depend_on_steps_per_call():
    runs = [make() for _ in range(3)]
    for run, steps in zip(runs, (1, 2, "auto"), strict=True):
        run.fit(X, Y, 5, 3, steps_per_call=steps)
    assert_equal_states(runs[0], runs[1])
    assert_equal_states(runs[0], runs[2])


@pytest.mark.parametrize("count", [1, 4, 5, 64, 65, 641])
def test_blocks_cover_every_step_once(count):
    data = {"x": np.arange(count)[:, None]}
    seen = []
    shapes = set()
    for block in Batches(data, np.arange(count), 5, 64, buffers=Buffers()).blocks():
        real = block.feeds[MASK][: block.steps] > 0
        seen += block.feeds["x"][: block.steps, :, 0][real].tolist()
        shapes.add(block.feeds["x"].shape)
        np.testing.assert_allclose(block.feeds[NORMALIZER][: block.steps], 1 / block.counts)
    assert seen == list(range(count))
    assert len(shapes) == 1


def test_a_block_stays_as_it_is_while_it_is_used():
    """The thread that prepares the next block must not overwrite it."""
    data, memory = {"x": np.arange(40)[:, None]}, set()
    batches = Batches(data, np.arange(40), 2, 3, buffers=Buffers(turns=2))
    for block in ahead(batches.blocks()):
        time.sleep(0.01)
        rows = block.index[: block.steps, :, None]
        np.testing.assert_array_equal(block.feeds["x"][: block.steps], rows)
        memory.add(block.feeds["x"].ctypes.data)
    assert len(memory) == 2


@pytest.mark.parametrize("backend", ["tensorflow", "mindspore"])
def test_examples_on_the_device_are_the_same_examples(backend, monkeypatch):
    pytest.importorskip(backend)
    model = db.Sequential([db.Input((2,)), db.Dense(4, "tanh"), db.Dropout(0.3), db.Dense(1)])
    experiment = db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1, momentum=0.9))
    rng = np.random.default_rng(0)
    x, y, weights = (rng.random(shape, np.float32) for shape in ((23, 2), (23, 1), 23))
    runs = []
    for mebibytes in ("0", "1"):
        monkeypatch.setenv("DNNBRIDGE_RESIDENT_MIB", mebibytes)
        runs.append(db.compile(experiment, backend))
        runs[-1].fit(x, y, 5, 3, sample_weight=weights, steps_per_call=2)
    assert_equal_states(*runs)


def test_the_memory_for_examples_is_a_number(monkeypatch):
    monkeypatch.setenv("DNNBRIDGE_RESIDENT_MIB", "much")
    with pytest.raises(DataError, match="a whole number of MiB"):
        make().fit(X, Y, 5, 1)


class Recorder(db.Callback):
    def __init__(self):
        self.calls = []

    def on_train_begin(self, run, epochs, steps_per_epoch):
        self.calls.append(("begin", epochs, steps_per_epoch))

    def on_steps_end(self, run, losses):
        self.calls.append(("steps", run.position.step, len(losses)))

    def on_epoch_end(self, run, epoch, logs):
        self.calls.append(("epoch", epoch, sorted(logs)))

    def on_train_end(self, run):
        self.calls.append(("end",))


def test_callbacks_hear_of_everything():
    recorder = Recorder()
    make().fit(X, Y, 10, 1, callbacks=[recorder], steps_per_call=2)
    assert recorder.calls == [
        ("begin", 1, 3),
        ("steps", 2, 2),
        ("steps", 3, 1),
        ("epoch", 0, ["accuracy", "loss"]),
        ("end",),
    ]


class Stop(db.Callback):
    def on_steps_end(self, run, losses):
        if run.position.step == 7:
            raise KeyboardInterrupt


def test_an_interrupted_epoch_goes_on_where_it_stopped():
    whole, broken = make(), make()
    whole.fit(X, Y, 5, 3)
    with pytest.raises(KeyboardInterrupt):
        broken.fit(X, Y, 5, 3, callbacks=[Stop()], steps_per_call=1)
    assert broken.position == Position(step=7, epoch=1, batch=2, examples=23, batch_size=5)
    broken.fit(X, Y, 5, 2, steps_per_call=1)
    assert_equal_states(whole, broken)


def test_an_interrupted_epoch_starts_anew_with_another_batch_size(caplog):
    run = make()
    with pytest.raises(KeyboardInterrupt):
        run.fit(X, Y, 5, 3, callbacks=[Stop()], steps_per_call=1)
    with caplog.at_level(logging.WARNING):
        run.fit(X, Y, 10, 1)
    assert "after 2 steps (batch size 5, 23 examples)" in caplog.text
    assert run.position.epoch == 2


def test_plain_progress_lines(capsys):
    make().fit(X, Y, 5, 2)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("epoch 1/2  loss ")


def test_metrics_are_those_of_all_examples_whatever_the_batches():
    """Losses, names of losses, and metrics that are not means, compared with the predictions."""
    model = db.Sequential([db.Input((4,)), db.Dense(2, "sigmoid")])
    metrics = [
        *(db.MeanAbsoluteError(), "log_cosh", db.LossMetric(db.Huber(), name="h"), "auc"),
        *("precision", db.F1Score(average="micro"), "r2_score", db.BinaryAccuracy()),
    ]
    run = make(model=model, loss=db.BinaryCrossentropy(), metrics=metrics)
    assert db.Experiment.from_json(run.experiment.to_json()) == run.experiment
    y = (X[:, :2] > 0.2) * 1.0
    found = run.fit(X, y, 5, 2, (X, y)).history
    assert set(run.evaluate(X, y)) == {
        *("loss", "mean_absolute_error", "log_cosh", "h", "auc"),
        *("precision", "f1_score", "r2_score", "binary_accuracy"),
    }
    for name, value in run.evaluate(X, y, batch_size=4).items():
        assert found[f"val_{name}"][-1] == pytest.approx(value, rel=1e-12), name
    e = run.predict(X) - y
    values = run.evaluate(X, y)
    assert values["mean_absolute_error"] == pytest.approx(np.abs(e).mean())
    spread = ((y - y.mean(0)) ** 2).sum(0)
    assert values["r2_score"] == pytest.approx(np.mean(1 - (e**2).sum(0) / spread))
    answer = run.predict(X) > 0.5
    hits = (answer * y).sum()
    assert values["f1_score"] == pytest.approx(2 * hits / (answer.sum() + y.sum()))


def test_accuracy_of_one_sigmoid_output():
    """The first program of most textbooks."""
    model = db.Sequential([db.Input((4,)), db.Dense(1, "sigmoid")])
    run = make(
        model=model, loss="binary_crossentropy", optimizer=db.Adam(0.1), metrics=["accuracy"]
    )
    y = (X[:, :1] > 0.0) * 1.0
    run.fit(X, y, 5, 30, verbose=0)
    assert run.evaluate(X, y)["accuracy"] == ((run.predict(X) > 0.5) == y).mean() > 0.9

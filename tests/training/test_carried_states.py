"""States that recurrent layers carry from batch to batch (`stateful=True`)."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import DataError, ShapeError, SpecError
from dnnbridge.training.callbacks import Callback

BATCH, STEPS = 2, 4
RNG = np.random.default_rng(0)
LONG = RNG.normal(size=(BATCH, 3 * STEPS, 3)).astype("f4")
X = np.concatenate(np.split(LONG, 3, 1))
"""Three batches; row i of each continues row i of the batch before."""
Y = RNG.normal(size=(len(X), 1)).astype("f4")


def model(steps=STEPS, stateful=True, **input):
    carried = {"return_sequences": True, "stateful": stateful}
    given = db.Input((steps, 3), batch_size=BATCH if stateful else None, **input)
    layers = [db.LSTM(4, **carried), db.GRU(3, **carried), db.SimpleRNN(2, **carried)]
    return db.Sequential([given, *layers, db.TimeDistributed(db.Dense(1))])


def last_step(layer=None, **fields):
    layers = [layer or db.LSTM(3, stateful=True, name="lstm"), db.Dense(1)]
    sequence = db.Sequential([db.Input((STEPS, 3), batch_size=BATCH), *layers])
    fields = {"loss": "mse", "optimizer": db.SGD(0.1)} | fields
    return db.Experiment(sequence, **fields)


def compiled(made):
    return db.compile(made, "reference")


def carried(run):
    return {n: a for n, a in run.state().items() if n.endswith(("/h", "/c"))}


def test_a_sequence_cut_into_batches_gives_the_numbers_of_the_whole():
    run = compiled(db.Experiment(model(), "mse", "sgd"))
    whole = compiled(db.Experiment(model(3 * STEPS, stateful=False), "mse", "sgd"))
    whole.set_weights(run.weights())
    expected = np.concatenate(np.split(whole.predict(LONG), 3, 1))
    np.testing.assert_allclose(run.predict(X), expected, rtol=1e-12)
    assert np.abs(run.predict(X)[:BATCH] - expected[:BATCH]).max() > 1e-3  # it goes on
    run.reset_states()
    np.testing.assert_allclose(run.predict(X), expected, rtol=1e-12)


def test_evaluation_and_training_go_on_with_the_states_of_plain_numpy():
    run = compiled(last_step(db.SimpleRNN(3, stateful=True, name="rnn"), optimizer=db.SGD(1e-30)))
    w = run.weights()

    def step(h, batch):
        for t in range(STEPS):
            h = np.tanh(
                batch[:, t] @ w["rnn/kernel"] + w["rnn/bias"] + h @ w["rnn/recurrent_kernel"]
            )
        return h

    h, losses = np.zeros((BATCH, 3)), []
    for batch, y in 4 * list(zip(np.split(X, 3), np.split(Y, 3), strict=True)):
        h = step(h, batch)
        losses.append(np.mean((h @ w["dense/kernel"] + w["dense/bias"] - y) ** 2))
    assert run.evaluate(X, Y)["loss"] == pytest.approx(np.mean(losses[:3]), rel=1e-12)
    history = run.fit(X, Y, epochs=2, shuffle=False, validation_data=(X, Y))
    assert history.step_losses == pytest.approx([*losses[3:6], *losses[9:]], rel=1e-9)
    np.testing.assert_allclose(run.state()["rnn/h"], _followed(step, 15), rtol=1e-9)


def _followed(step, batches):
    h = np.zeros((BATCH, 3))
    for i in range(batches):
        h = step(h, np.split(X, 3)[i % 3])
    return h


def test_the_states_do_not_depend_on_the_steps_per_call():
    runs = [compiled(last_step()) for _ in range(2)]
    for run, steps in zip(runs, (1, 8), strict=True):
        run.fit(X, Y, epochs=3, steps_per_call=steps)
    for name, array in runs[0].state().items():
        np.testing.assert_array_equal(runs[1].state()[name], array)


def test_states_are_reset_by_layer():
    both = db.Bidirectional(db.GRU(2, stateful=True), name="both")
    layers = [db.LSTM(3, return_sequences=True, stateful=True, name="lstm"), both]
    run = compiled(last_step(db.Sequential([db.Input((STEPS, 3), batch_size=BATCH), *layers])))
    run.predict(X)
    run.reset_states("sequential/lstm")
    zero = {name: not array.any() for name, array in carried(run).items()}
    assert zero == {
        "sequential/lstm/h": True,
        "sequential/lstm/c": True,
        "sequential/both/forward/h": False,
        "sequential/both/backward/h": False,
    }
    run.reset_states("sequential/both")
    assert not any(array.any() for array in carried(run).values())
    with pytest.raises(DataError, match=r"'dense'.*sequential/lstm, sequential/both/forward"):
        run.reset_states("dense")


def test_a_callback_resets_the_states_at_the_end_of_each_epoch():
    class Reset(Callback):
        def on_epoch_end(self, run, epoch, logs):
            run.reset_states()

    runs = [compiled(last_step(optimizer=db.SGD(1e-30))) for _ in range(2)]
    losses = runs[0].fit(X, Y, epochs=2, shuffle=False, callbacks=[Reset()]).step_losses
    assert losses[:3] == pytest.approx(losses[3:], rel=1e-12)
    other = runs[1].fit(X, Y, epochs=2, shuffle=False).step_losses
    assert other[:3] != pytest.approx(other[3:], rel=1e-3)


def test_a_checkpoint_holds_the_states(tmp_path):
    run = compiled(last_step())
    run.fit(X, Y, epochs=2)
    loaded = db.load(run.save(tmp_path / "run.safetensors"), backend="reference")
    np.testing.assert_array_equal(loaded.predict(X), run.predict(X))
    assert all(array.any() for array in carried(loaded).values())


def test_states_are_neither_weights_nor_buffers_nor_frozen():
    run = compiled(last_step(frozen=["lstm/*"]))
    assert not {*run.weights(), *run.buffers()} & {*carried(run)}
    assert [*carried(run)] == ["lstm/h", "lstm/c"]
    run.fit(X, Y)
    assert all(array.any() for array in carried(run).values())
    other = run.with_experiment(last_step(optimizer=db.SGD(0.2)))
    assert "lstm/h" not in other.transfer.kept
    assert not any(array.any() for array in carried(other).values())


def test_every_step_of_a_window_carries_states():
    window = db.GradientAccumulation(db.SGD(1e-30), 3)
    runs = [compiled(last_step(optimizer=each)) for each in (window, db.SGD(1e-30))]
    for run in runs:
        run.fit(X, Y, shuffle=False)
    for name, array in carried(runs[0]).items():
        np.testing.assert_allclose(carried(runs[1])[name], array, rtol=1e-12)


def test_a_prediction_with_dropout_carries_states():
    run = compiled(last_step(db.LSTM(3, dropout=0.5, stateful=True, name="lstm")))
    run.predict(X, training=True)
    assert all(array.any() for array in carried(run).values())
    with pytest.raises(DataError, match="one prediction at a time"):
        run.predict(X, training=True, samples=2)


WRONG_CALLS = {
    "another batch size": (lambda run: run.fit(X, Y, 3), "batch_size: must be 2.*got 3"),
    "a short batch": (lambda run: run.predict(X[:5]), "x: must have a multiple of 2 rows.*got 5"),
    "in evaluate": (lambda run: run.evaluate(X[:3], Y[:3]), "multiple of 2 rows.*got 3"),
    "in validation": (
        lambda run: run.fit(X, Y, validation_data=(X[:1], Y[:1])),
        r"validation_data\[0\]: must have a multiple of 2",
    ),
}


@pytest.mark.parametrize("call", WRONG_CALLS)
def test_batches_of_another_size_are_refused_and_change_nothing(call):
    make, what = WRONG_CALLS[call]
    run = compiled(last_step())
    with pytest.raises(DataError, match=what):
        make(run)
    assert run.position.step == 0
    assert not any(array.any() for array in carried(run).values())


def test_the_model_must_say_how_many_examples_a_batch_has():
    layer = db.LSTM(3, stateful=True)
    with pytest.raises(ShapeError, match=r"lstm: .*fixed batch size.*Input\(shape, batch_size="):
        db.Sequential([db.Input((STEPS, 3)), layer])
    inputs = [db.Input((2,), batch_size=2), db.Input((2,), batch_size=3)]
    with pytest.raises(SpecError, match=r"different batch sizes.*2 and 3"):
        db.Model(inputs, db.Add()(*inputs))
    inner = db.Sequential([db.Input((STEPS, 3), batch_size=3), layer])
    with pytest.raises(ShapeError, match=r"different batch sizes.*2 and 3"):
        db.Sequential([db.Input((STEPS, 3), batch_size=2), inner])


def test_a_second_call_goes_on_from_the_first():
    """A layer called on the two halves of a sequence gives what one call on the whole gives."""
    x = db.Input((STEPS, 3), batch_size=BATCH)
    layer = db.GRU(3, stateful=True, name="gru")
    halves = db.Model(x, db.Concatenate()(layer(x[:, :2]), layer(x[:, 2:])))
    run = compiled(db.Experiment(halves, "mse", "sgd"))
    whole = compiled(last_step(layer))
    whole.set_parameters(run.weights())
    run.predict(X)
    whole.predict(X)
    np.testing.assert_allclose(run.state()["gru/h"], whole.state()["gru/h"], rtol=1e-12)


def test_equations_carry_only_what_they_declared():
    def emit(self, scope, x):
        scope.buffer("mean", (3,), db.Zeros())
        scope.carry("mean", x)
        return x

    wrong = type("Wrong", (db.AbstractLayer,), {"emit": emit})
    with pytest.raises(ShapeError, match="carry needs a declared buffer"):
        db.Sequential([db.Input((3,), batch_size=2), db.spec(wrong)()])

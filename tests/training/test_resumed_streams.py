"""A training from a source of batches stops anywhere and goes on, bit for bit."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.training.feeding import ahead

RNG = np.random.default_rng(4)
SIZES = (4, 2, 7, 4, 3, 4, 1)
X = RNG.normal(size=(sum(SIZES), 3)).astype(np.float32)
Y = RNG.normal(size=(sum(SIZES), 1)).astype(np.float32)
ENDS = np.cumsum((0, *SIZES))
BATCHES = [(X[i:j], Y[i:j]) for i, j in itertools.pairwise(ENDS)]
EPOCHS, STEPS = 3, len(SIZES)


def experiment():
    layers = [db.Dense(4, "tanh"), db.BatchNormalization(), db.Dropout(0.3), db.Dense(1)]
    model = db.Sequential([db.Input((3,)), *layers])
    return db.Experiment(model, "mse", db.GradientAccumulation(db.Adam(0.05), 3), metrics=["mae"])


def make():
    return db.compile(experiment(), "reference")


class Again:
    """A stream without a length."""

    def __init__(self):
        self.read = []

    def __iter__(self):
        for k, batch in enumerate(BATCHES):
            self.read.append(k)
            yield batch


class Sized(Again):
    def __len__(self):
        return STEPS


class ByNumber:
    def __init__(self):
        self.read = []

    def __len__(self):
        return STEPS

    def __getitem__(self, k):
        self.read.append(k)
        return BATCHES[k]


SOURCES = {
    "stream": Again,
    "sized": Sized,
    "by-number": ByNumber,
    "buffer": lambda: db.Shuffled(Again(), buffer=6),
}


class StopAt(db.Callback):
    """End a training after so many steps of the run."""

    every_steps = 1

    def __init__(self, step, path=None, raises=False):
        self.step, self.path, self.raises = step, path, raises

    def on_steps_end(self, run, losses):
        if run.position.step == self.step:
            if self.path:
                run.save(self.path)
            if self.raises:
                raise KeyboardInterrupt
            run.stop()


def finish(run, source, steps):
    """Train until so many epochs are done, with another split into compiled calls."""
    epochs = EPOCHS - run.position.epoch
    if epochs:
        run.fit(source, epochs=epochs, steps_per_epoch=steps, steps_per_call=2, verbose=0)


def assert_same(found, expected):
    assert found.position == expected.position
    for name, array in expected.state().items():
        np.testing.assert_array_equal(found.state()[name], array, err_msg=name)
    assert [row["loss"] for row in found.logs] == [row["loss"] for row in expected.logs]


@pytest.mark.parametrize("steps", [None, 5])
@pytest.mark.parametrize("kind", SOURCES)
def test_stopped_at_any_step(kind, steps, tmp_path):
    expected = make()
    expected.fit(SOURCES[kind](), epochs=EPOCHS, steps_per_epoch=steps, verbose=0)
    for step in range(1, expected.position.step + 1, 2):
        run, path = make(), tmp_path / f"{step}.safetensors"
        stop = StopAt(step, path)
        run.fit(SOURCES[kind](), epochs=EPOCHS, steps_per_epoch=steps, callbacks=[stop], verbose=0)
        assert run.position.step == step
        finish(run, SOURCES[kind](), steps)
        assert_same(run, expected)
        loaded = db.load(path, "reference")
        finish(loaded, SOURCES[kind](), steps)
        assert_same(loaded, expected)


def test_only_what_is_needed_is_read_again():
    run = make()
    run.fit(ByNumber(), epochs=2, callbacks=[StopAt(STEPS + 3)], shuffle=False, verbose=0)
    source = ByNumber()
    run.fit(source, shuffle=False, verbose=0)
    assert source.read == list(range(3, STEPS))


def test_a_generator_goes_on_where_it_is():
    """With steps_per_call=1 up to two batches are read ahead; these are lost."""
    run, source = make(), iter(BATCHES)
    run.fit(source, callbacks=[StopAt(2)], steps_per_call=1, verbose=0)
    assert run.position.step == 2
    run.fit(source, verbose=0)
    assert run.position.epoch == 1
    assert 1 <= STEPS - run.position.step <= 2


def test_another_kind_of_data_begins_the_epoch_anew(caplog):
    run = make()
    run.fit(Again(), epochs=1, callbacks=[StopAt(3)], verbose=0)
    run.fit(X, Y, 5, verbose=0)
    assert "it restarts, as it is now batch size 5" in caplog.text
    assert run.position.step == 3 + 5
    run.fit(X, Y, 5, callbacks=[StopAt(10)], verbose=0)
    run.fit(Again(), verbose=0)
    assert "(batch size 5, 25 examples); it restarts, as it is now a source" in caplog.text
    assert run.position.step == 10 + STEPS


def test_an_interrupted_training_goes_on():
    expected, run = make(), make()
    expected.fit(Again(), epochs=EPOCHS, verbose=0)
    with pytest.raises(KeyboardInterrupt):
        run.fit(Again(), epochs=EPOCHS, callbacks=[StopAt(9, raises=True)], verbose=0)
    assert len(run.history.step_losses) == run.position.step == 9
    assert run.history.epochs == [0]
    finish(run, Again(), None)
    assert_same(run, expected)


@pytest.fixture
def heard():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("delay", [0.02, 0.05, 0.11])
def test_ctrl_c_while_batches_are_read(delay):
    """A slow stream: the signal comes while the main thread waits for a batch."""
    expected, run = make(), make()
    expected.fit(Again(), verbose=0)

    def slow():
        for batch in BATCHES:
            time.sleep(0.03)
            yield batch

    timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        run.fit(slow(), steps_per_call=1, verbose=0)
    timer.join()
    assert not [t for t in threading.enumerate() if t.name.startswith("dnnbridge-ahead")]
    assert len(run.history.step_losses) == run.position.step < STEPS
    run.fit(Again(), verbose=0)
    assert_same(run, expected)


def test_a_source_that_never_returns_does_not_hold_up_the_end(monkeypatch, caplog):
    monkeypatch.setattr(ahead, "PATIENCE", 0.1)
    free, waits = threading.Event(), threading.Event()

    def stuck():
        yield from BATCHES[:2]
        waits.set()
        free.wait(10)

    class Interrupt(db.Callback):
        def on_steps_end(self, run, losses):
            assert waits.wait(10)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make().fit(stuck(), callbacks=[Interrupt()], steps_per_call=1, verbose=0)
    assert "the source of batches has not returned for 0.1 s" in caplog.text
    free.set()


def test_nothing_is_read_after_the_end():
    read, waits = [], threading.Event()

    def slow():
        for k in range(40):
            read.append(k)
            if k == 10:  # in the second call, while the first one is interrupted
                waits.set()
                time.sleep(0.3)
            yield BATCHES[0]

    class Interrupt(db.Callback):
        def on_steps_end(self, run, losses):
            assert waits.wait(10)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make().fit(slow(), callbacks=[Interrupt()], steps_per_call=8, verbose=0)
    assert read[-1] == 10


def test_a_slow_stream_does_not_wait_for_a_whole_call():
    heard = []

    class Hear(db.Callback):
        def on_steps_end(self, run, losses):
            heard.append(len(losses))

    def slow():
        for batch in BATCHES[:4]:
            time.sleep(0.3)
            yield batch

    make().fit(slow(), callbacks=[Hear()], verbose=0)
    assert sum(heard) == 4
    assert len(heard) >= 2

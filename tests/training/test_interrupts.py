"""Interrupts at any moment: weights and position are of one step, and training goes on from it."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.base.interrupts import Move, Waiting, unchanged
from dnnbridge.errors import StateError
from dnnbridge.reference.backend import ReferenceBackend, ReferenceExecutable
from dnnbridge.training.compiling import compile_for

EPOCHS, BATCH, STEPS = 4, 8, 3
ROWS = np.random.default_rng(5)
X, Y = ROWS.normal(size=(52, 6)).astype(np.float32), ROWS.integers(0, 3, 52)
SIZE = {"reference": 4, "tensorflow": 64, "mindspore": 64}
BACKENDS = list(SIZE)


def experiment(units=4):
    """An experiment with every kind of state: slots, dropout, statistics, a metric schedule."""
    layers = [db.Input((6,)), db.Dense(units, "tanh"), db.BatchNormalization(), db.Dropout(0.2)]
    model = db.Sequential([*layers, db.Dense(units, "tanh"), db.Dense(3)])
    rate = db.Plateau(0.01, factor=0.5, patience=1, monitor="val_loss", min_delta=0.05)
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    return db.Experiment(model, loss, db.Adam(rate), metrics=["accuracy"])


def plain():
    """A small experiment, which executes few lines per step."""
    model = db.Sequential([db.Input((6,)), db.Dense(3)])
    rate = db.Plateau(0.1, factor=0.5, patience=1, monitor="val_loss", min_delta=0.05)
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    return db.Experiment(model, loss, db.SGD(rate, momentum=0.9))


def train(run, epochs, callbacks=()):
    data = {"batch_size": BATCH, "validation_data": (X[:10], Y[:10]), "steps_per_call": STEPS}
    return run.fit(X, Y, epochs=epochs, callbacks=callbacks, **data)


def digest(run):
    """Return a hash of all bits of a run: arrays, optimizer, sums of the epoch."""
    made = hashlib.sha256(f"{run.optimizer.to_json()} {run.epoch_sums()}".encode())
    for name, array in sorted(run.state().items()):
        made.update(name.encode() + array.tobytes())
    return made.hexdigest()


class Trajectory(db.Callback):
    """The digests of an undisturbed training at every position."""

    def __init__(self, make):
        self.make, self.at = make, {}
        run = make()
        self.at[run.position] = digest(run)
        train(run, EPOCHS, [self])
        self.end = digest(run)
        run = make()  # compiled by now
        start = time.perf_counter()
        train(run, EPOCHS)
        self.seconds = time.perf_counter() - start

    def on_steps_end(self, run, losses):
        self.at[run.position] = digest(run)

    def on_epoch_end(self, run, epoch, logs):
        self.at[run.position] = digest(run)

    def check(self, run):
        """Return an error if the state does not fit the position, or the training ends wrong."""
        if digest(run) != self.at[run.position]:
            return f"other weights than those of step {run.position.step}"
        done = len(run.history.step_losses)
        if done != run.position.step:
            return f"{done} losses after {run.position.step} steps"
        if run.position.epoch < EPOCHS:
            train(run, EPOCHS - run.position.epoch)
        return "" if digest(run) == self.end else "ended with other weights"


@pytest.fixture(autouse=True)
def heard():
    """Handle Ctrl-C: a background job of a shell, and its child processes, would ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


TRAJECTORIES = {}


def trajectory(backend):
    if backend not in TRAJECTORIES:
        if backend in ("tensorflow", "mindspore"):
            pytest.importorskip(backend)
        spec = plain() if backend == "lines" else experiment(SIZE[backend])
        name = "reference" if backend == "lines" else backend
        TRAJECTORIES[backend] = Trajectory(lambda: db.compile(spec, name))
    return TRAJECTORIES[backend]


def interrupted(function, delay):
    """Call a function and send it a signal; return whether it was interrupted."""

    def send():
        time.sleep(delay)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=send)
    try:
        thread.start()
        function()
        thread.join()
        time.sleep(5)
    except KeyboardInterrupt:
        thread.join()
        return True
    except BaseException:
        with suppress(KeyboardInterrupt):  # the signal has not arrived yet
            thread.join()
            time.sleep(0.1)
        raise
    return False


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("trials", [4, pytest.param(200, marks=pytest.mark.slow)])
def test_a_run_is_of_one_step_whenever_it_is_interrupted(backend, trials):
    undisturbed = trajectory(backend)
    delays, seconds = random.Random(trials), undisturbed.seconds
    outcomes = Counter()
    for _ in range(5 * trials):
        run = undisturbed.make()
        start = time.perf_counter()
        heard = interrupted(lambda r=run: train(r, EPOCHS), delays.uniform(0, seconds))
        inside = "within" if run.position.epoch < EPOCHS else "after"
        if inside == "after":  # the machine is faster than it was
            seconds = min(seconds, time.perf_counter() - start)
        outcomes[undisturbed.check(run) or f"right, {inside}" if heard else "not heard"] += 1
        if outcomes["right, within"] == trials:
            break
    print(backend, dict(outcomes))
    assert set(outcomes) <= {"right, within", "right, after"}, outcomes
    assert outcomes["right, within"] > trials / 2


KEPT_BY = (
    *("run.py", "train_state.py", "totals.py", "interrupts.py", "history.py", "backend.py"),
    "turns.py",
)
"""Files whose lines change a run; the short form of the test uses only these."""


class AtLine:
    """Calls a function when a line of dnnbridge is executed for the n-th time."""

    def __init__(self, files=(), line=None, act=None):
        self.files, self.line, self.act = files, line, act
        self.seen = Counter()

    def __enter__(self):
        sys.settrace(self)
        return self

    def __exit__(self, *_):
        sys.settrace(None)

    def __call__(self, frame, event, arg):
        return self.at if watched(frame.f_code.co_filename, self.files) else None

    def at(self, frame, event, arg):
        if event == "line":
            line = frame.f_code.co_filename, frame.f_lineno
            self.seen[line] += 1
            if self.line == (*line, self.seen[line]):
                self.act()
        return self.at


@cache
def watched(file, files):
    path = Path(file)
    return "dnnbridge" in path.parts and (not files or path.name in files)


def press():
    signal.raise_signal(signal.SIGINT)


def fail():
    raise MemoryError("at any moment")


@pytest.mark.parametrize("act", [press, fail])
@pytest.mark.parametrize("files", [KEPT_BY, pytest.param((), marks=pytest.mark.slow)])
def test_on_whatever_line_it_happens(act, files):
    """An interrupt never leaves a run inconsistent; after another error, the run says so."""
    undisturbed, draws, outcomes = trajectory("lines"), random.Random(0), Counter()
    with AtLine(files) as seen:
        train(undisturbed.make(), EPOCHS)
    places = sorted(seen.seen.items())
    for place, times in draws.sample(places, 60) if files else places:
        line = (*place, draws.randint(1, times))
        run = undisturbed.make()
        try:
            with AtLine(files, line, act):
                train(run, EPOCHS)
        except (KeyboardInterrupt, MemoryError):
            pass
        try:
            wrong = undisturbed.check(run)
        except StateError:
            outcomes["torn"] += 1
            assert act is fail, line
        else:
            outcomes["right"] += 1
            assert not wrong, line
    print(act.__name__, dict(outcomes))
    assert outcomes["right"] > 2 * outcomes["torn"]


class Failing(ReferenceExecutable):
    """Changes some arrays and then fails, as a framework may within a call."""

    fails = False

    def run(self, function, feeds, steps):
        if self.fails and function == "train":
            super().run(function, feeds, 1)
            raise RuntimeError("out of memory on the device")
        return super().run(function, feeds, steps)


class FailingBackend(ReferenceBackend):
    def compile(self, program, device):
        self.made = Failing(program)
        return self.made


def test_a_run_that_failed_within_a_call_is_not_used_any_more(tmp_path, caplog):
    backend = FailingBackend()
    run = compile_for(backend, experiment(), "cpu")
    executable = backend.made
    train(run, 1)
    state, progress = run.state(), run.position
    path = tmp_path / "run.safetensors"
    run.save(path)
    before = path.read_bytes()
    executable.fails = True
    with pytest.raises(RuntimeError, match="out of memory"):
        train(run, 1, [db.Checkpoint(path)])
    assert "StateError" not in caplog.text
    assert "Checkpoint: run: the run was stopped while" in caplog.text
    assert path.read_bytes() == before
    uses = (
        lambda: train(run, 1),
        lambda: run.predict(X),
        lambda: run.evaluate(X, Y),
        lambda: run.save(path),
        run.parameters,
        run.buffers,
        run.state,
        lambda: run.set_parameters({}),
        lambda: run.with_experiment(experiment()),
    )
    for use in uses:
        with pytest.raises(StateError, match=r"out of memory.*Load its last checkpoint"):
            use()
    executable.fails = False
    run.set_state(state, progress)
    assert train(run, 1).step_losses


def test_an_error_before_anything_is_changed_leaves_the_run_as_it_is():
    class Uncompiled(ReferenceExecutable):
        def run(self, function, feeds, steps):
            with unchanged():
                raise RuntimeError("does not compile")

    class Backend(ReferenceBackend):
        def compile(self, program, device):
            return Uncompiled(program)

    run = compile_for(Backend(), experiment(), "cpu")
    before = digest(run)
    with pytest.raises(RuntimeError, match="does not compile"):
        train(run, 1)
    assert digest(run) == before


def test_signals_wait_and_the_second_does_not():
    calls = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: calls.append(number))
    try:
        handler, torn = signal.getsignal(signal.SIGUSR1), []
        with Waiting() as waiting:
            with Move(waiting, torn.append) as move:
                signal.raise_signal(signal.SIGUSR1)
                assert calls == []
                signal.raise_signal(signal.SIGUSR1)
                assert len(calls) == 1
                with unchanged():
                    signal.raise_signal(signal.SIGUSR1)
                    assert len(calls) == 2
                signal.raise_signal(signal.SIGUSR1)
                assert len(calls) == 2
                move.done()
            assert len(calls) == 3
        assert signal.getsignal(signal.SIGUSR1) is handler
        assert torn == []
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_handler_that_is_set_meanwhile_stays():
    before = signal.getsignal(signal.SIGUSR1)
    try:
        with Waiting():
            signal.signal(signal.SIGUSR1, press)
        assert signal.getsignal(signal.SIGUSR1) is press
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_callers_handlers_are_kept(backend):
    """An ignored signal stays ignored, and training continues after a handler that returns."""
    undisturbed = trajectory(backend)
    calls = []
    for handler in (signal.SIG_IGN, lambda number, frame: calls.append(number)):
        before = signal.signal(signal.SIGINT, handler)
        try:
            run = undisturbed.make()
            sender = threading.Timer(undisturbed.seconds / 3, os.kill, (os.getpid(), signal.SIGINT))
            sender.start()
            train(run, EPOCHS)
            sender.join()
            run.predict(X)
            assert signal.getsignal(signal.SIGINT) is handler
            assert digest(run) == undisturbed.end
        finally:
            signal.signal(signal.SIGINT, before)
    assert calls == [signal.SIGINT]


@pytest.mark.parametrize("backend", BACKENDS)
def test_predictions_and_other_threads_are_interrupted_too(backend):
    run = trajectory(backend).make()
    run.predict(X)

    def predict():
        while True:
            run.predict(X)

    for delay in (0.02, 0.07):
        assert interrupted(predict, delay)
        done = threading.Event()

        def train_elsewhere(done=done):
            try:
                train(run, 10**6)
            finally:
                done.set()

        def wait(done=done):
            while not done.wait(0.01):  # an interrupted join regards the thread as ended
                pass

        threading.Thread(target=train_elsewhere).start()
        assert interrupted(wait, delay)
        while not done.wait(0.01):  # a training that starts only now would ignore an earlier stop
            run.stop()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_sigterm_from_outside_is_a_sigterm(backend):
    """Even under MindSpore, which turns each Ctrl-C into a SIGTERM."""
    run, calls = trajectory(backend).make(), []

    def stop(number, frame):
        calls.append(number)
        run.stop()

    before = signal.signal(signal.SIGTERM, stop)
    try:
        command = [sys.executable, "-c", f"import os; os.kill({os.getpid()}, {signal.SIGTERM:d})"]
        started = []  # once training has begun: it would ignore an earlier stop
        begin = db.LambdaCallback(
            on_train_begin=lambda *_: started.append(subprocess.Popen(command))
        )
        train(run, 10**6, [begin])
        started[0].wait()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert calls == [signal.SIGTERM]


@pytest.mark.skipif(sys.platform != "linux", reason="MindSpore's handler of Ctrl-C")
def test_ctrl_c_while_mindspore_compiles_is_no_sigterm(monkeypatch):
    """Also where the program handles SIGTERM, which MindSpore makes of each Ctrl-C."""
    pytest.importorskip("mindspore")
    from dnnbridge_mindspore import disk_cache

    kept, calls = disk_cache.kept, []

    @contextmanager
    def pressed(*arguments):
        with kept(*arguments):
            yield
        os.kill(os.getpid(), signal.SIGTERM)  # as MindSpore's handler of Ctrl-C does

    monkeypatch.setattr(disk_cache, "kept", pressed)
    run = db.compile(experiment(5), "mindspore")
    before = signal.signal(signal.SIGTERM, lambda number, frame: calls.append(number))
    try:
        with pytest.raises(KeyboardInterrupt):
            train(run, 1)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert calls == []


SCRIPT = """
import dnnbridge as db
experiment = db.Experiment(
    model=db.Sequential([db.Input((64,)), db.Dense(16, activation="relu"), db.Dense(10)]),
    loss=db.SparseCategoricalCrossentropy(from_logits=True),
    optimizer=db.SGD(0.01),
)
"""


def command(folder, backend, epochs, *more):
    (folder / "small.py").write_text(SCRIPT)
    words = ["train", "small.py", "--data", "digits", "--backend", backend, "--no-validation"]
    program = [sys.executable, "-P", "-m", "dnnbridge", *words, "--epochs", str(epochs), *more]
    env = os.environ | {"GLOG_v": "3", "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(program, cwd=folder, env=env, stderr=subprocess.PIPE, text=True)


def until(process, text):
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"no {text!r}; status {process.wait()}")


@pytest.mark.parametrize(
    ("backend", "number", "trials"),
    [
        ("reference", signal.SIGINT, 1),
        ("reference", signal.SIGTERM, 1),
        *(
            pytest.param(backend, number, 5, marks=pytest.mark.slow)
            for backend in BACKENDS
            for number in (signal.SIGINT, signal.SIGTERM)
        ),
    ],
)
def test_the_command_saves_what_is_trained_when_it_is_stopped(backend, number, trials, tmp_path):
    if backend != "reference":
        pytest.importorskip(backend)
    for trial in range(trials):
        with command(tmp_path, backend, 10**6, "--save", f"{trial}.safetensors") as process:
            until(process, "epoch 7")
            time.sleep(0.03 * trial)
            process.send_signal(number)
            said = process.stderr.read()
        assert process.returncode == 128 + number, said
        run = db.load(tmp_path / f"{trial}.safetensors", "reference")
        position = f"epoch {run.position.epoch + 1}, after step {run.position.step}"
        assert f"stopped in {position}: saved {trial}.safetensors" in said
        assert run.position.epoch >= 7
        assert [path.name for path in tmp_path.glob(".*")] == []


def test_a_suite_that_is_stopped_leaves_no_process(tmp_path, monkeypatch):
    from dnnbridge.cli import conformance_jobs

    started = []

    def start(arguments, stem, variant):
        started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
        return started[-1]

    monkeypatch.setattr(conformance_jobs, "_start", start)
    run = lambda: conformance_jobs.ask_in_processes([], [], 2, tmp_path)  # noqa: E731
    assert interrupted(run, 0.2)
    assert [process.wait(60) for process in started] == [-signal.SIGKILL] * 2


def test_a_command_that_asks_first_is_stopped_with_a_status(tmp_path):
    """Before training starts nothing is written; an experiment file may take long to run."""
    (tmp_path / "small.py").write_text("print('here', flush=True)\nimport time\ntime.sleep(600)")
    words = ["train", "small.py", "--data", "digits", "--save", "a.safetensors"]
    program = [sys.executable, "-P", "-m", "dnnbridge", *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(program, cwd=tmp_path, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 143
        assert process.stderr.read() == "stopped\n"
    assert os.listdir(tmp_path) == ["small.py"]

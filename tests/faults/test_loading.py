"""A signal while a framework is loaded: it waits, and is no error of the plugin."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.base.interrupts import WAITING, Waiting
from dnnbridge.base.packages import load

posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

PLUGIN = """
from dnnbridge.backend import BackendInfo, hookimpl

@hookimpl
def dnnbridge_backend_info(name):
    return BackendInfo(name, priority=-9)

@hookimpl
def dnnbridge_backend(name):
    import NAME_framework
    from dnnbridge.reference.backend import ReferenceBackend
    return ReferenceBackend()
"""

FRAMEWORK = """
import os, signal
whole = False
for number in NUMBERS:
    os.kill(os.getpid(), number)
    sum(range(100))
whole = True
"""
"""Gets signals in the middle of its import."""

HANDLED = ("SIGINT", "SIGTERM")


@pytest.fixture(autouse=True)
def heard():
    """Handle Ctrl-C: a background job of a shell, and its child processes, would ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def offer(folder, name, *signals):
    """Install a backend whose framework gets signals while it is imported."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[dnnbridge.backends]\n{name} = {name}_plugin")
    (folder / f"{name}_plugin.py").write_text(PLUGIN.replace("NAME", name))
    numbers = [int(getattr(signal, each)) for each in signals]
    framework = FRAMEWORK.replace("NUMBERS", str(numbers))
    (folder / f"{name}_framework.py").write_text(framework)


@pytest.fixture
def handler():
    """Sets a handler of SIGTERM for this test."""
    before = signal.getsignal(signal.SIGTERM)
    yield lambda function: signal.signal(signal.SIGTERM, function)
    signal.signal(signal.SIGTERM, before)


class OwnError(BaseException):
    """What the handler of a program raises."""


@posix
@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, OwnError, TimeoutError])
def test_a_handler_that_raises_waits_until_the_backend_is_loaded(
    kind, tmp_path, monkeypatch, handler
):
    def stop(number, frame):
        raise kind("stopped")

    name = f"waits_{kind.__name__}".lower()
    offer(tmp_path, name, "SIGTERM")
    monkeypatch.syspath_prepend(str(tmp_path))
    handler(stop)
    with pytest.raises(kind, match="stopped"):
        load_backend(name)
    assert sys.modules[f"{name}_framework"].whole
    assert signal.getsignal(signal.SIGTERM) is stop
    assert load_backend(name).info.name == "reference"


@posix
def test_compile_is_interrupted_after_the_import(tmp_path, monkeypatch):
    offer(tmp_path, "pressed", "SIGINT")
    monkeypatch.syspath_prepend(str(tmp_path))
    experiment = db.Experiment(db.Sequential([db.Input((2,)), db.Dense(1)]), "mse", "sgd")
    with pytest.raises(KeyboardInterrupt):
        db.compile(experiment, "pressed")
    assert sys.modules["pressed_framework"].whole
    assert db.compile(experiment, "pressed").predict([[1.0, 2.0]]).shape == (1, 1)


@posix
def test_a_handler_that_returns_is_called_once(tmp_path, monkeypatch, handler):
    calls = []
    handler(lambda number, frame: calls.append(sys.modules["noted_framework"].whole))
    offer(tmp_path, "noted", "SIGTERM")
    monkeypatch.syspath_prepend(str(tmp_path))
    load_backend("noted")
    assert calls == [True]


@posix
@pytest.mark.parametrize("kind", [SystemExit, OwnError, TimeoutError])
def test_a_second_signal_does_not_wait(kind, tmp_path, monkeypatch, handler):
    """What its handler raises is not called an error of the plugin."""

    def stop(number, frame):
        raise kind("stopped")

    name = f"twice_{kind.__name__}".lower()
    offer(tmp_path, name, "SIGTERM", "SIGTERM")
    monkeypatch.syspath_prepend(str(tmp_path))
    handler(stop)
    with pytest.raises(kind, match="stopped"):
        load_backend(name)
    assert f"{name}_framework" not in sys.modules
    assert signal.getsignal(signal.SIGTERM) is stop


@posix
def test_other_imports_of_frameworks_are_whole_too(tmp_path, monkeypatch):
    """Conversions import a framework without its backend."""
    offer(tmp_path, "converted", "SIGINT")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        load("converted_framework")
    assert sys.modules["converted_framework"].whole


@posix
def test_a_signal_that_comes_before_all_handlers_wait_leaves_none_behind(monkeypatch, handler):
    """The handlers are replaced one after the other: here SIGTERM comes after the first."""

    def stop(number, frame):
        raise OwnError

    handler(stop)
    before = [signal.getsignal(number) for number in WAITING]
    getsignal = signal.getsignal

    def late(number):
        found = getsignal(number)
        if number == signal.SIGTERM and getsignal(signal.SIGINT) is not before[0]:
            monkeypatch.undo()
            signal.raise_signal(number)
        return found

    monkeypatch.setattr(signal, "getsignal", late)
    with pytest.raises(OwnError), Waiting(waits=True):
        pass
    assert [signal.getsignal(number) for number in WAITING] == before


SPEC = """
import dnnbridge as db
layers = [db.Dense(16, "relu"), db.Dense(10)]
model = db.Sequential([db.Input((64,)), *layers])
experiment = db.Experiment(model, db.SparseCategoricalCrossentropy(from_logits=True), "sgd")
"""


def start(folder, backend, text=SPEC):
    """Start a training that does not end."""
    (folder / "spec.py").write_text(text)
    words = ["train", "spec.py", "--data", "digits", "--backend", backend, "--no-validation"]
    command = [sys.executable, "-B", "-P", "-m", "dnnbridge", *words, "--epochs", "1000000"]
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process):
    """Return the exit status and the output of a process, which must end within a minute."""
    with process:
        try:
            said, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    return process.returncode, said


@posix
@pytest.mark.parametrize("name", [*HANDLED, "SIGHUP"])
def test_the_command_says_that_it_is_stopped(name, tmp_path):
    offer(tmp_path, "fake", name)
    framework = tmp_path / "fake_framework.py"
    framework.write_text(framework.read_text() + "print('imported', flush=True)\n")
    status, said = ended(start(tmp_path, "fake"))
    assert (status, said.splitlines()[-2:]) == (
        128 + getattr(signal, name),
        ["imported", "stopped"],
    ), said


FILE = """
import keras
print("after", flush=True)
import time
time.sleep(60)
"""


@posix
@pytest.mark.parametrize("name", HANDLED)
def test_the_import_of_a_framework_in_the_file_is_whole_too(name, tmp_path):
    number = getattr(signal, name)
    code = f"import os, time\nos.kill(os.getpid(), {number:d})\ntime.sleep(0.3)\nprint('whole')\n"
    (tmp_path / "keras.py").write_text(code)
    status, said = ended(start(tmp_path, "reference", FILE))
    assert (status, said) in (
        (128 + number, "whole\nafter\nstopped\n"),
        (128 + number, "whole\nstopped\n"),
    )


@posix
def test_a_second_signal_ends_the_import_in_the_file(tmp_path):
    kill = f"os.kill(os.getpid(), {signal.SIGTERM:d})\ntime.sleep(0.01)\n"
    (tmp_path / "keras.py").write_text(f"import os, time\n{kill}print('one')\n{kill}print('two')")
    assert ended(start(tmp_path, "reference", FILE)) == (143, "one\nstopped\n")


EARLY, MOMENTS = 4, 20
"""How many signals are sent soon after the start, and how many from the import on, for 4 s."""


@posix
@pytest.mark.slow
@pytest.mark.parametrize("name", HANDLED)
@pytest.mark.parametrize("imports", [False, True], ids=["loaded", "imported by the file"])
@pytest.mark.parametrize("backend", ["tensorflow", "mindspore"])
def test_a_command_is_stopped_at_any_moment_of_its_start(backend, imports, name, tmp_path):
    """From the imports of Python to the first epochs."""
    pytest.importorskip(backend)
    number, outcomes = getattr(signal, name), Counter()
    file = f"print('loading', flush=True)\nimport {backend}\n{SPEC}" if imports else SPEC
    for trial in range(EARLY + MOMENTS):
        process, seen = start(tmp_path, backend, file), ""
        while trial >= EARLY and "loading" not in seen:
            seen += process.stdout.readline()
            assert process.poll() is None, seen
        time.sleep(0.3 * (trial + 1) if trial < EARLY else 4 * (trial - EARLY) / (MOMENTS - 1))
        process.send_signal(number)
        status, said = ended(process)
        if status == -number and trial < EARLY:  # Python itself still starts
            outcomes["early"] += 1
            continue
        assert status == 128 + number, f"trial {trial}: {status}\n{said}"
        assert said.splitlines()[-1].startswith("stopped"), f"trial {trial}: {said}"
        assert "Traceback" not in said, f"trial {trial}: {said}"
        outcomes["right"] += 1
    print(backend, name, dict(outcomes))
    assert outcomes["right"] >= MOMENTS, outcomes

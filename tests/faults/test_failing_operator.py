"""After an operator has failed, everything in the same process is right again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.backend.protocol import BackendInfo
from dnnbridge.errors import BackendError
from dnnbridge.reference.backend import ReferenceBackend, ReferenceExecutable
from dnnbridge.training import reuse
from dnnbridge.training.compiling import compile_for
from dnnbridge.training.failures import failure, first_words

PROGRAM = Path(__file__).with_name("failing_operator.py")


@pytest.mark.skipif(sys.platform != "linux", reason="limits its memory as Linux does")
def test_what_follows_a_failed_operator_is_right():
    """TensorFlow may end its process where memory is missing, so it has a test of its own."""
    pytest.importorskip("mindspore")
    environment = os.environ | {"GLOG_v": "4"}
    command = [sys.executable, str(PROGRAM), "mindspore"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    for said in found.pop("told"):
        assert said.startswith("mindspore: the function 'train' failed, got RuntimeError: Memory")
        assert said.endswith("The memory is too small: use a smaller batch_size or model.")
        assert "previous step" not in said  # the stale error
        assert "\n" not in said
    assert found.pop("cause") == "RuntimeError"
    assert all(found.values()), found


def test_what_follows_an_array_that_tensorflow_refuses_is_right(monkeypatch):
    """A batch of another size than its mask, which comes past the checks of `fit`."""
    pytest.importorskip("tensorflow")
    reuse.clear()
    model = db.Sequential([db.Input((3,), "int32"), db.Embedding(5, 4), db.Flatten(), db.Dense(1)])
    experiment = db.Experiment(model, "mse", db.Adam(0.01))
    x, y = np.arange(24).reshape(8, 3) % 5, np.ones((8, 1), np.float32)
    whole = db.compile(experiment, "tensorflow")
    whole.fit(x, y, 4, 2, verbose=0)
    run = db.compile(experiment, "tensorflow")
    start, position, plain = run.state(), run.position, run._engine.executable.run

    def wrong(function, feeds, steps):
        name = next(name for name in feeds if name.startswith("input:"))
        return plain(function, {**feeds, name: feeds[name][:, :-1]}, steps)

    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(run._engine.executable, "run", wrong)
            with pytest.raises(
                BackendError, match=r"'train' failed, got \w+: Incompatible shapes"
            ) as caught:
                run.fit(x, y, 4, 2, verbose=0)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value.__cause__)) > 10
        run.set_state(start, position)
    run.fit(x, y, 4, 2, verbose=0)
    for name, array in whole.state().items():
        np.testing.assert_array_equal(run.state()[name], array, err_msg=name)


MESSAGES = {
    "\n----\n- Memory not enough:\n----\nMemory isn't enough.\n\n----\n- C++ Call Stack:\nx.cc:1": (
        "Memory isn't enough."
    ),
    'Graph execution error:\n\nDetected at node a:\n  File "a.py"\n\nbad shape\n\t [[{{b}}]]': (
        "bad shape"
    ),
    "": "",
    "one line": "one line",
}


@pytest.mark.parametrize("text", MESSAGES)
def test_the_line_that_says_something(text):
    noise = ("Memory not enough:", "Graph execution error", "Detected at node", "<stack traces")
    assert first_words(text, noise) == MESSAGES[text]


def test_a_long_message_is_cut():
    said = str(failure("reading", RuntimeError("x" * 9000), BackendInfo("mine")))
    assert len(said) < 450
    assert said.startswith("mine: reading failed, got RuntimeError: xxx")


class Failing(ReferenceExecutable):
    fails = True

    def run(self, function, feeds, steps):
        if Failing.fails:
            raise KeyError("no kernel")
        return super().run(function, feeds, steps)


class Backend(ReferenceBackend):
    info = BackendInfo("mine", reuses=True)
    made = 0

    def compile(self, program, device):
        self.made += 1
        return Failing(program)


def test_what_has_failed_serves_no_other_run():
    reuse.clear()
    backend, x = Backend(), np.ones((4, 2))
    model = db.Sequential([db.Input((2,)), db.Dense(1)])
    experiment = db.Experiment(model, "mse", "sgd")
    for made, fails in ((1, False), (1, True), (2, False), (2, False)):
        run = compile_for(backend, experiment, "cpu")
        Failing.fails = fails
        if fails:
            with pytest.raises(BackendError, match="mine: the function 'train' failed") as caught:
                run.fit(x, x[:, :1], 2, verbose=0)
            assert isinstance(caught.value.__cause__, KeyError)
        else:
            run.fit(x, x[:, :1], 2, verbose=0)
        del run
        if fails:
            del caught
        assert backend.made == made
    reuse.clear()

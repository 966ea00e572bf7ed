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
@pytest.mark.parametrize(
    "backend", [pytest.param("tensorflow", marks=pytest.mark.slow), "mindspore"]
)
def test_what_follows_a_failed_operator_is_right(backend):
    pytest.importorskip(backend)
    environment = os.environ | {"GLOG_v": "4", "DNNBRIDGE_TENSORFLOW_XLA": "0"}
    command = [sys.executable, str(PROGRAM), backend]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    first, second = found.pop("told")
    for said in (first, second):
        assert said.startswith(f"{backend}: the function 'train' failed, got ")
        assert said.endswith("The memory is too small: use a smaller batch_size or model.")
        assert "previous step" not in said  # a stale error of MindSpore
        assert "\n" not in said
    assert found.pop("cause") in ("RuntimeError", "ResourceExhaustedError")
    assert all(found.values()), found


MESSAGES = {
    "\n----\n- Memory not enough:\n----\nMemory isn't enough.\n\n----\n- C++ Call Stack:\nx.cc:1": (
        "Memory isn't enough."
    ),
    "Graph execution error:\n\nDetected at node a:\n<stack traces unavailable>\nbad shape": (
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

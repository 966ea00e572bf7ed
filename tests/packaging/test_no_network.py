"""Importing, compiling and training open no connection and ask for no address."""

from __future__ import annotations

import subprocess
import sys

import pytest

GUARD = """
import sys
ASKED = []

def hook(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        ASKED.append((event, repr(arguments)[:200]))
        raise PermissionError(f"network: {event} {arguments!r:.200}")

sys.addaudithook(hook)
"""

WORK = """
import threading
import numpy as np
import dnnbridge as db
x, y = np.ones((8, 3), np.float32), np.zeros((8, 2), np.float32)
model = db.Sequential([db.Input((3,)), db.Dense(4, "relu"), db.Dense(2)])
run = db.compile(db.Experiment(model, "mse", db.SGD(0.1)), {backend!r})
run.fit(x, y, 4, verbose=0, validation_data=(x, y))
run.predict(x)
left = [each.name for each in threading.enumerate() if each is not threading.main_thread()]
assert not left, left
assert not ASKED, ASKED
"""


def outcome(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", GUARD + code]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("backend", ["reference", "tensorflow", "mindspore"])
def test_a_training_uses_no_network(backend):
    if backend != "reference":
        pytest.importorskip(backend)
    done = outcome(WORK.format(backend=backend))
    assert not done.returncode, done.stderr


@pytest.mark.parametrize(
    "call",
    [
        "socket.getaddrinfo('localhost', 80)",
        "socket.socket().connect(('127.0.0.1', 9))",
        "socket.create_connection(('127.0.0.1', 9))",
        "urllib.request.urlopen('http://127.0.0.1:9')",
    ],
)
def test_the_guard_notices(call):
    done = outcome(f"import socket, urllib.request\n{call}")
    assert "PermissionError: network" in done.stderr

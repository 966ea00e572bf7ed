"""What stops one worker stops all of them, after the same step."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from dnnbridge.backend.workers import Workers
from dnnbridge.base.interrupts import WAITING, Move, Waiting
from dnnbridge.training.agreeing import Agreement

PROGRAM = Path(__file__).with_name("stopping_program.py")
CALLS = [signal.SIGTERM, signal.SIGUSR1]


class Engine(SimpleNamespace):
    """One of two workers; `other` is what the other one asks for."""

    def __init__(self, other=(), rank=0):
        workers = None if rank is None else Workers(2, rank)
        super().__init__(stopped=False, workers=workers, other=list(other), asked=[])

    def agree(self, asked):
        self.asked.append(asked.tolist())
        total = asked.copy()
        for place in self.other:
            total[place] += 1
        return total


def place(number):
    return 1 + WAITING.index(number)


@pytest.fixture
def heard():
    calls = []
    before = {n: signal.signal(n, lambda number, frame: calls.append(number)) for n in CALLS}
    yield calls
    for number, handler in before.items():
        signal.signal(number, handler)


def test_each_is_told_what_the_other_asks_for(heard):
    engine = Engine()
    with Waiting() as waiting:
        agreement = Agreement(engine, waiting)
        assert not agreement.reached()
        engine.other = [0]
        assert agreement.reached()
        assert engine.stopped
        engine.stopped, engine.other = False, [place(signal.SIGUSR1)]
        assert not agreement.reached()
        assert heard == [signal.SIGUSR1]
    assert np.sum(engine.asked) == 0


def test_a_signal_waits_until_all_know_of_it(heard):
    engine = Engine()
    with Waiting() as waiting:
        agreement = Agreement(engine, waiting)
        with Move(waiting, lambda error: None) as move:
            signal.raise_signal(signal.SIGTERM)
            move.done()
        signal.raise_signal(signal.SIGUSR1)
        assert heard == []
        agreement.reached()
        assert sorted(heard) == sorted(CALLS)
        assert engine.asked[-1][place(signal.SIGTERM)] == 1
        agreement.reached()
        assert np.sum(engine.asked[-1]) == 0
        signal.raise_signal(signal.SIGTERM)
        assert len(heard) == 2
        signal.raise_signal(signal.SIGTERM)  # the second one does not wait
        assert len(heard) == 3
    assert len(heard) == 3


def test_a_handler_that_raises_ends_the_training_on_all(heard):
    def raises(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, raises)
    with Waiting() as waiting:
        agreement = Agreement(Engine([place(signal.SIGTERM)]), waiting)
        with pytest.raises(KeyboardInterrupt):
            agreement.reached()
    assert signal.getsignal(signal.SIGTERM) is raises


@pytest.mark.parametrize("workers", [None, Workers(3)], ids=["one", "in this process"])
def test_a_process_alone_asks_nobody(workers, heard):
    engine = Engine(rank=None)
    engine.workers = workers
    with Waiting() as waiting:
        agreement = Agreement(engine, waiting)
        signal.raise_signal(signal.SIGTERM)
        assert heard == [signal.SIGTERM]
        engine.stopped = True
        assert agreement.reached()
    assert engine.asked == []


@pytest.mark.slow
@pytest.mark.parametrize("how", ["stop", "SIGTERM", "SIGINT"])
@pytest.mark.parametrize("backend", ["tensorflow", "mindspore"])
def test_workers_of_a_launch_end_after_the_same_step(backend, how, tmp_path):
    pytest.importorskip(backend)
    command = [sys.executable, "-m", "dnnbridge", "launch", "-n", "2", "--logs", str(tmp_path)]
    command += ["--", "python", str(PROGRAM), backend, str(tmp_path), how]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first == second
    assert first["ended"] == ("returned" if how == "stop" else how)
    assert first["step"] == 14

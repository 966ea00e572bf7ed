"""A graph that MindSpore fails to compile by chance is compiled again; any other error is told."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import BackendError

pytest.importorskip("mindspore")
from mindspore import nn

DATA = np.ones((8, 3), np.float32), np.ones((8, 1), np.float32)
FLUKE = "The func graph is empty\n- Framework Unexpected Exception Raised:"
COMPILE = nn.Cell.compile


def failing(monkeypatch, said: str, times: int) -> list[object]:
    """Let the next compilations fail; return the list of all Cells that are compiled."""
    compiled: list[object] = []

    def compile(cell, *given, **named):
        compiled.append(cell)
        if len(compiled) <= times:
            raise RuntimeError(said)
        return COMPILE(cell, *given, **named)

    monkeypatch.setattr(nn.Cell, "compile", compile)
    return compiled


def made() -> db.Run:
    model = db.Sequential([db.Input((3,)), db.Dense(4, "tanh"), db.Dense(1)])
    return db.compile(db.Experiment(model, "mse", db.Adam(0.1)), "mindspore")


def test_a_fluke_is_tried_again_with_a_cell_of_its_own(monkeypatch):
    want = made().fit(*DATA, epochs=3, verbose=0).history["loss"]
    db.clear_session()
    run = made()
    compiled = failing(monkeypatch, FLUKE, 1)
    assert run.fit(*DATA, epochs=3, verbose=0).history["loss"] == want
    assert len(set(map(id, compiled))) == 2


@pytest.mark.parametrize(("said", "tries"), [(FLUKE, 2), ("no kernel for Foo", 1)])
def test_another_error_and_one_that_comes_each_time_are_told(monkeypatch, said, tries):
    db.clear_session()
    run = made()
    compiled = failing(monkeypatch, said, 99)
    with pytest.raises(BackendError, match=said[:12]):
        run.fit(*DATA, epochs=1, verbose=0)
    assert len(compiled) == tries

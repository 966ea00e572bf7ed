"""Graphs that MindSpore has compiled are kept for the next process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import nullcontext

import pytest

pytest.importorskip("mindspore")
from dnnbridge_mindspore.disk_cache import VARIABLE, kept

SCRIPT = """
import json, sys
import numpy as np
import dnnbridge as db

rows = int(sys.argv[1])
layers = [db.Input((4, 6)), db.SinusoidalPositions(), db.Flatten(), db.Dense(3)]
loss = db.SparseCategoricalCrossentropy(from_logits=True)
run = db.compile(db.Experiment(db.Sequential(layers), loss, db.Adam(0.01)), "mindspore")
x, y = np.random.default_rng(0).normal(size=(rows, 4, 6)), np.arange(rows) % 3
print(json.dumps(run.fit(x, y, 5, 2).step_losses))
"""


def losses(folder, rows):
    """Return the losses of a training in a new process, and the graphs in the folder."""
    env = os.environ | {VARIABLE: str(folder)}
    script = folder.with_suffix(".py")
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(rows)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    graphs = {path: path.stat().st_mtime_ns for path in folder.rglob("*.mindir")}
    return json.loads(done.stdout.splitlines()[-1]), graphs


def test_a_second_process_compiles_nothing_unless_shapes_differ(tmp_path):
    first, made = losses(tmp_path, 10)
    again, found = losses(tmp_path, 10)
    assert made
    assert found == made
    assert again == first
    longer, more = losses(tmp_path, 35)
    assert len(longer) == 14
    assert {path: more[path] for path in made} == made
    assert len(more) > len(made)


def test_without_a_folder_or_a_script_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert isinstance(kept("source", [], []), nullcontext)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.setattr(sys, "argv", [__file__])  # a worker of pytest has no script
    assert not isinstance(kept("source", [], []), nullcontext)
    monkeypatch.setattr(sys, "argv", ["-c"])
    assert isinstance(kept("source", [], []), nullcontext)

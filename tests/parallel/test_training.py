"""Workers of a launched program train as one worker does, and go on after one has died."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dnnbridge as db

SLOW = pytest.mark.slow  # frameworks take long to start

PROGRAM = Path(__file__).parent / "program.py"
WITHIN = 2e-6
"""Allowed difference after 40 steps of Adam."""

TOLD = 15.0
"""Seconds from the death of a worker to the start of the next attempt."""


@pytest.fixture(scope="module")
def program():
    spec = importlib.util.spec_from_file_location("program_of_workers", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def expected(program):
    """What one worker computes in float64."""
    return program.train(db.compile(program.experiment(), "reference"))


def launched(backend, folder, workers, *options, plan=""):
    command = [sys.executable, "-m", "dnnbridge", "launch", "-n", str(workers), *options]
    command += ["--logs", str(folder), "--", "python", str(PROGRAM), backend, str(folder), plan]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def made_by(folder, rank):
    with np.load(folder / f"{rank}.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


def require_equal(found, expected):
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=0, atol=WITHIN, err_msg=name)


@SLOW
@pytest.mark.parametrize("backend", ["tensorflow", "mindspore"])
def test_two_workers_go_on_after_one_was_killed(backend, tmp_path, program, expected):
    pytest.importorskip(backend)
    done = launched(backend, tmp_path, 2, "--restarts", "1", plan="kill")
    assert done.returncode == 0, done.stderr
    assert "worker 1 of 2 on this host failed" in done.stderr
    assert "signal SIGKILL" in done.stderr
    first, second = (made_by(tmp_path, rank) for rank in (0, 1))
    for rank, made in enumerate((first, second)):
        assert made.pop("workers") == 2, rank
        assert made.pop("begun") - float((tmp_path / "killed").read_text()) < TOLD
        require_equal(made, expected)
    for name, value in first.items():
        np.testing.assert_array_equal(second[name], value, err_msg=name)
    _check_files(tmp_path, program, expected)


def _check_files(folder, program, expected):
    """Files were written once, and another number of workers goes on from them."""
    rows = (folder / "log.csv").read_text().splitlines()
    assert len(rows) == 3  # the second attempt had two epochs left
    assert not list((folder / "backup").iterdir())
    run = db.load(folder / "run.safetensors", "reference", workers=3)
    assert run.position.step == 40
    x, y, _ = program.data()
    losses = [
        run.fit(x, y, program.BATCH, verbose=0).step_losses
        for run in (run, db.load(folder / "run.safetensors", "reference"))
    ]
    np.testing.assert_allclose(*losses, rtol=1e-10)
    np.testing.assert_allclose(run.history.epochs, [4])


@pytest.mark.parametrize(
    ("backend", "workers"),
    [
        *(pytest.param("mindspore", count, marks=SLOW) for count in (1, 2, 4)),
        *(pytest.param("tensorflow", count, marks=SLOW) for count in (1, 2, 4)),
    ],
)
def test_any_number_of_workers_has_the_trajectory_of_one(backend, workers, tmp_path, expected):
    pytest.importorskip(backend)
    done = launched(backend, tmp_path, workers)
    assert done.returncode == 0, done.stderr
    for rank in range(workers):
        made = made_by(tmp_path, rank)
        assert made["workers"] == workers
        require_equal(made, expected)


def test_devices_of_one_process_share_a_batch(tmp_path, expected):
    pytest.importorskip("tensorflow")
    command = [sys.executable, str(PROGRAM), "tensorflow", str(tmp_path), "devices"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    made = made_by(tmp_path, 0)
    assert made["workers"] == 3
    require_equal(made, expected)

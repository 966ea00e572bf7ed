"""`compare` and `conformance` with several workers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dnnbridge.backend.plugins import load_backend
from dnnbridge.backend.workers import Workers
from dnnbridge.testing.checks import all_checks, select
from dnnbridge.testing.running import run_checks
from dnnbridge.testing.subject import Subject

DIGITS = Path(__file__).parents[2] / "examples" / "digits_mlp.py"


def dnnbridge(*words):
    command = [sys.executable, "-m", "dnnbridge", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
def test_compare_shares_batches_among_workers(tmp_path):
    pytest.importorskip("tensorflow")
    options = ["--data", "digits", "--epochs", 1, "--batch-size", 64, "--workers", 2]
    files = ["--report", tmp_path / "report.html", "--json", tmp_path / "found.json"]
    done = dnnbridge("compare", DIGITS, *options, "--backends", "tensorflow,reference", *files)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "found.json").read_text())["settings"]["Workers"] == "2"
    assert "All backends began with bit-identical weights." in done.stdout


def test_a_backend_of_processes_needs_a_launch():
    pytest.importorskip("mindspore")
    done = dnnbridge("conformance", "--backend", "mindspore", "--workers", 2, "--quick")
    assert done.returncode == 1
    assert "cannot divide a batch among several devices" in done.stderr
    assert "dnnbridge launch -n 2" in done.stderr


def test_the_suite_trains_with_workers():
    checks = select(all_checks(), words="train-stateful,train-sigmoid-adam-one_hot", quick=False)
    subject = Subject(load_backend("reference"), workers=Workers(3))
    found = {each.id: each for each in run_checks(checks, subject).outcomes}
    assert found["train-sigmoid-adam-one_hot"].status == "passed"
    assert found["train-stateful"].status == "limited"
    assert "cannot be divided among workers" in found["train-stateful"].note

"""Trainings that are killed at any moment go on, and end as if nothing had happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

KILLING = Path(__file__).with_name("killing.py")
SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("backend", "kills"),
    [
        ("reference", 4),
        *(pytest.param(name, 50, marks=SLOW) for name in ("reference", "tensorflow", "mindspore")),
    ],
)
def test_a_killed_training_ends_as_an_undisturbed_one(backend, kills):
    if backend != "reference":
        pytest.importorskip(backend)
    command = [sys.executable, str(KILLING), backend, str(kills), str(kills)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    print(found)
    assert found["kills"] == kills
    assert found["kills with a backup"] > kills / 4
    assert found["done"] == found["as undisturbed"] == found["trainings"]
    assert found["files left"] == 0

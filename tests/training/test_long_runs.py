"""A training with callbacks, checkpoints and validation holds no more after many steps.

`make long-run` measures 40 times as many steps; docs/measurements/long-run.md has its numbers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from endurance.sampling import Sample, growth, settled, slowing

PROGRAM = Path(__file__).parent / "long_run.py"
TOOLS = Path(__file__).parents[2] / "tools"

MOST = 1000
"""Bytes that a step may leave behind: 32 for its loss, and what noise makes of 2,000 steps."""

BACKENDS = ["tensorflow", "mindspore"]
SLOW = pytest.mark.slow


def measured(what, backend):
    """Return samples of a warm-up and of the run, from a process in which memory is not in use."""
    if backend != "reference":
        pytest.importorskip(backend)
    places = [str(TOOLS), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(places)}
    command = [sys.executable, PROGRAM, what, backend]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout.splitlines()[-1])
    return [[Sample(*each) for each in samples] for samples in made]


@pytest.mark.parametrize("backend", ["reference", *(pytest.param(b, marks=SLOW) for b in BACKENDS)])
def test_memory_files_and_threads_stay(backend):
    (*_, warm), (*during, after) = measured("train", backend)
    assert growth(during) < MOST
    assert after.handles <= warm.handles
    assert (after.threads, after.python_threads) <= (warm.threads, warm.python_threads)


def test_a_leak_is_noticed():
    (*_, warm), (*during, after) = measured("leak", "reference")
    assert growth(during) > MOST
    assert after.handles > warm.handles


def test_the_sums_of_samples():
    samples = [Sample(n, 1.0 if n < 60 else 3.0, 7 * n, 5, 2, 1) for n in range(100)]
    assert [each.count for each in settled(samples)] == list(range(20, 100))
    assert growth(samples) == pytest.approx(7)
    assert slowing(samples) == 3.0


LIMITS = {"reference": 100_000, "tensorflow": 1_000_000, "mindspore": 3_000_000}
"""Bytes that a compilation may leave behind; long-run.md has what was measured."""


@SLOW
@pytest.mark.parametrize("backend", LIMITS)
def test_two_hundred_compilations(backend):
    _, equal = measured("equal", backend)
    assert growth(equal) < LIMITS[backend] / 5  # one of ten is compiled anew
    _, different = measured("different", backend)
    assert growth(different) < LIMITS[backend]

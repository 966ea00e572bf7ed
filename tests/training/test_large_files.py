"""A training on files holds no more memory when the files are larger.

`make large-data` measures 4 GB; docs/measurements/large-data.md has its numbers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from large_data.writing import FORMS, read, write

PROGRAM = Path(__file__).parent / "large_files.py"
TOOLS = Path(__file__).parents[2] / "tools"

FEW, MANY = 12_800, 76_800
"""Examples of 4 KiB: 52 MB and 315 MB."""

MOST = 40e6
"""Bytes that the larger training may hold more: noise, and 25 for each example."""


@pytest.fixture
def peak(tmp_path):
    """Return what trains on files in a process of its own, and returns the most memory."""

    def measure(backend, form, rows, *how):
        folder = tmp_path / f"{form}-{rows}"
        if not folder.exists():
            folder.mkdir()
            write(form, folder, rows)
        places = [str(TOOLS), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(places)}
        command = [sys.executable, PROGRAM, backend, form, folder, *how]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    yield measure
    for path in tmp_path.rglob("*.*"):
        path.unlink()  # pytest keeps the folders of three runs


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("backend", ["reference", "tensorflow", "mindspore"])
@pytest.mark.slow
def test_memory_does_not_grow_with_the_files(backend, form, peak):
    if backend != "reference":
        pytest.importorskip(backend)
    few, many = (peak(backend, form, rows) for rows in (FEW, MANY))
    assert many["rows"] == MANY
    for kind in ("rss", "anonymous"):
        assert many[kind] - few[kind] < MOST, kind


@pytest.mark.slow
def test_that_a_map_grows_is_noticed(peak):
    few, many = (peak("reference", "memmap", rows, "mapped") for rows in (FEW, MANY))
    assert many["rss"] - few["rss"] > 3 * MOST
    assert many["anonymous"] - few["anonymous"] < MOST


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_have_the_same_rows(form, tmp_path):
    write(form, tmp_path, 4103)
    x, y = read(form, tmp_path)
    assert (x.shape, y.shape) == ((4103, 1024), (4103, 1))
    np.testing.assert_array_equal(y[:], x[:][:, :1] - x[:][:, 1:2])
    assert len(np.unique(x[:][:, 0])) > 500

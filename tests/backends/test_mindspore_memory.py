"""The memory of large weights is free for the next run, also where that has other sizes."""

from __future__ import annotations

import subprocess
import sys

import pytest

mindspore = pytest.importorskip("mindspore")

if tuple(map(int, mindspore.__version__.split(".")[:2])) < (2, 8):
    pytest.skip("MindSpore 2.7 keeps arrays whatever is asked", allow_module_level=True)

PROGRAM = """
import gc
import os
import numpy as np
import dnnbridge as db

x, y = np.ones((8, 1000), np.float32), np.ones((8, 1), np.float32)
for number in range(7):
    layers = [db.Input((1000,)), db.Dense(8000 + 100 * number), db.Dense(1)]
    run = db.compile(db.Experiment(db.Sequential(layers), "mse", db.SGD(1e-6)), "mindspore")
    run.fit(x, y, batch_size=8, verbose=0)
    del run
    db.clear_session()
    gc.collect()
    with open("/proc/self/statm") as file:
        print(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
"""

WEIGHTS = 4 * 8_000_000
"""Bytes of the weights of a run."""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_runs_of_growing_sizes_do_not_add_up():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=300
    )
    sizes = [int(line) for line in done.stdout.split()]
    assert sizes[6] - sizes[1] < 3 * WEIGHTS, sizes  # five runs

"""A type checker accepts the code that the pages recommend."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")

ROOT = Path(__file__).parents[2]

BEGIN = """
import numpy as np
import dnnbridge as db

x, y, w = np.ones((4, 3)), np.ones((4, 2)), np.ones(4)
model = db.Sequential([db.Input((3,)), db.Dense(2)])
run = db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1)))
"""

ACCEPTED = """
run.fit(x, y)
run.fit(x, y, 2, 1, (x, y))
run.fit(x, y, validation_data=(x, y))
run.fit(x, y, validation_data=(x, y, w))
run.fit(x, y, validation_data=(x, {"head": y}, {"head": w}))
run.fit(x, y, validation_data=[(x, y), (x, y, w)])
run.fit(x, y, validation_data=db.Shuffled(iter([(x, y)]), 9))
run.fit([(x, y)], batch_size=None)
run.evaluate(iter([(x, y)]))
run.fit([x, x], {"head": y}, sample_weight=w, class_weight={0: 1.0})
run.set_state(run.state(), run.position, run.optimizer, run.epoch_sums())
run.set_weights(run.weights())
db.Experiment(model, "mse", "adam", ["mae", db.R2Score()], accumulate=2, loss_scale=8.0)
db.Dense(3, "relu", kernel_initializer="zeros", kernel_regularizer="l2")
rate: db.AbstractSchedule = db.SGD(0.1).learning_rate
activation: db.AbstractActivation = db.Dense(3, "relu").activation
optimizer: db.AbstractOptimizer = db.Experiment(model, "mse", "adam").optimizer
"""

REFUSED = {
    "a rate": 'db.SGD("fast")',
    "a number": "run.fit(x, y, validation_data=3)",
    "a function": "run.fit(x, y, validation_data=checked)",
}


def checked(code: str, folder: Path) -> str:
    path = folder / "written.py"
    path.write_text(BEGIN + code)
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")]
    command += ["--no-error-summary", "--follow-imports=silent", str(path)]
    found = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert not found.stderr
    return found.stdout


def test_what_the_pages_say_is_accepted(tmp_path):
    assert checked(ACCEPTED, tmp_path) == ""


def test_what_they_do_not_say_is_refused(tmp_path):
    code = "def checked() -> None: ...\n" + "\n".join(REFUSED.values())
    lines = checked(code, tmp_path).splitlines()
    errors = [line for line in lines if ": error: " in line]
    assert len(errors) == len(REFUSED)
    assert sum('"validation_data"' in line for line in errors) == len(REFUSED) - 1

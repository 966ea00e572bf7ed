"""Our backends call nothing that the frameworks have deprecated.

A warning is ours if the first code outside of packages that led to it lies in dnnbridge, whatever
line it is attributed to. MindSpore and TensorFlow also write such notices to their logs.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

WATCH = """
import logging, sys, traceback, warnings
from pathlib import Path
ROOT = {root!r}
FOUND = []

def culprit():
    "Return the innermost frame outside of the frameworks and of this program, if it is ours."
    for frame in reversed(traceback.extract_stack()):
        if "site-packages" in frame.filename or frame.filename.startswith("<"):
            continue
        if "/lib/python" in frame.filename:
            continue
        return frame if frame.filename.startswith(ROOT) else None

def note(message, category, *_, **__):
    if issubclass(category, (DeprecationWarning, FutureWarning, PendingDeprecationWarning)):
        frame = culprit()
        if frame and not (frame.line or "").startswith(("import ", "from ")):
            FOUND.append(f"{{frame.filename}}:{{frame.lineno}}: {{message}}")

class Handler(logging.Handler):
    def emit(self, record):
        if "deprecat" in record.getMessage().lower():
            FOUND.append(record.getMessage())

warnings.simplefilter("always")
warnings.showwarning = note
import importlib
importlib.import_module({framework!r})
for name in (None, *logging.root.manager.loggerDict):
    logging.getLogger(name).addHandler(Handler())
"""

WORK = """
import numpy as np
import dnnbridge as db
x, y = np.random.default_rng(0).normal(size=(8, 6, 6, 2)).astype("float32"), np.arange(8) % 3
layers = [db.Input((6, 6, 2)), db.Conv2D(3, 3, activation="relu"), db.BatchNormalization(),
          db.MaxPooling2D(2), db.Dropout(0.1), db.Flatten(), db.Reshape((2, -1)), db.LSTM(4),
          db.LayerNormalization(), db.Dense(3)]
loss = db.SparseCategoricalCrossentropy(from_logits=True)
experiment = db.Experiment(db.Sequential(layers), loss, db.Adam(1e-3))
run = db.compile(experiment, {backend!r})
run.fit(x, y, 4, verbose=0)
run.evaluate(x, y)
run.predict(x)
{more}
print("\\n".join(FOUND))
"""

WARNING = """
line = "import warnings\\nwarnings.warn('planted', DeprecationWarning, 2)"
exec(compile(line, ROOT + "/own.py", "exec"))
"""

LOG = """
logging.getLogger("dnnbridge").warning("a planted notice: this is deprecated")
"""


def found(backend: str, framework: str, more: str = "") -> str:
    """Return what a program that uses a backend is warned of; `more` is run at its end."""
    code = WATCH.format(root=str(ROOT), framework=framework)
    code += WORK.format(backend=backend, more=more)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert not done.returncode, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "mindspore"])
def test_a_backend_calls_nothing_deprecated(backend):
    pytest.importorskip(backend)
    assert not found(backend, backend)


@pytest.mark.parametrize("planted", [WARNING, LOG])
def test_a_planted_notice_is_found(planted):
    assert "planted" in found("reference", "numpy", planted)

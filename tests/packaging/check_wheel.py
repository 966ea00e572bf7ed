"""Build the wheel, install it alone in a fresh environment, and use it without a framework."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"

USE = """
import sys
import numpy as np
import dnnbridge as db
names = {b.name: b.installed for b in db.available_backends()}
assert names == {"tensorflow": False, "mindspore": False, "reference": True}, names
model = db.Sequential([db.Input((64,)), db.Dense(10)])
loss = db.SparseCategoricalCrossentropy(from_logits=True)
run = db.compile(db.Experiment(model, loss, db.SGD(0.1)))
assert run.backend == "reference"
from dnnbridge.datasets import adapt_to, load_dataset
data = adapt_to(run.experiment, load_dataset("digits"))
run.fit(data.x_train, data.y_train, epochs=2)
print(run.evaluate(data.x_test, data.y_test))
try:
    db.ExponentialDecay(0.1, 10, 0.5).plot()
except ImportError as error:
    assert "pip install 'dnnbridge[report]'" in str(error)
else:
    raise AssertionError("matplotlib is not installed here")
try:
    db.compile(run.experiment, backend="tensorflow")
except ImportError as error:
    assert "pip install 'dnnbridge[tensorflow]'" in str(error)
else:
    raise AssertionError("tensorflow is not installed here")
"""

EXPECTED = {
    "dnnbridge/py.typed",
    "dnnbridge/__init__.pyi",
    "dnnbridge/datasets/digits.npz",
    "dnnbridge/specs/foreign_names.tsv",
    "dnnbridge/report/hover.js",
    "dnnbridge/report/template.html",
    "dnnbridge/report/training.html",
    "dnnbridge_mindspore/plugin.py",
    "dnnbridge_tensorflow/plugin.py",
}


def run(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(UV, "build", "--quiet", "--wheel", "--build-constraint", ROOT / "constraints.txt",
            "--out-dir", folder, ROOT)  # fmt: skip
        (wheel,) = Path(folder).glob("*.whl")
        names = set(zipfile.ZipFile(wheel).namelist())
        assert names >= EXPECTED, EXPECTED - names
        assert {name.split("/")[0].split("-")[0] for name in names} == {
            "dnnbridge",
            "dnnbridge_mindspore",
            "dnnbridge_tensorflow",
        }
        environment = Path(folder) / "venv"
        run(UV, "venv", "--quiet", "--python", sys.executable, environment)
        python = environment / "bin" / "python"
        run(UV, "pip", "install", "--quiet", "--python", python, "-c", ROOT / "constraints.txt",
            wheel)  # fmt: skip
        run(python, "-c", USE)
        run(environment / "bin" / "dnnbridge", "backends")
    print("the wheel works without a framework")


if __name__ == "__main__":
    main()

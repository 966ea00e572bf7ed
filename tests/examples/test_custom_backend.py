"""The toy backend of the examples is built, installed and run like a third party's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "custom_backend"


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> dict[str, str]:
    """Install the example into a new folder and return an environment that finds it."""
    folder = tmp_path_factory.mktemp("site")
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", folder, EXAMPLE], check=True
    )
    return os.environ | {"PYTHONPATH": str(folder)}


def test_it_is_found_and_chosen(installed):
    code = (
        "import dnnbridge as db; import sys\n"
        "assert 'autograd' in [b.name for b in db.available_backends()]\n"
        "assert 'autograd' not in sys.modules\n"
        "m = db.Sequential([db.Input((2,)), db.Dense(1)])\n"
        "print(db.compile(db.Experiment(m, db.MeanSquaredError(), db.SGD(0.1))).backend)"
    )
    environment = installed | {"DNNBRIDGE_BACKEND": "autograd"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "autograd"


@pytest.mark.slow
def test_it_conforms(installed):
    options = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, str(EXAMPLE / "test_conformance.py")]
    done = subprocess.run(command, env=installed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


def test_the_command_asks_it(installed, tmp_path):
    path = tmp_path / "toy.json"
    options = ["--backend", "autograd", "--quick", "--select", "operation,loss", "--json", path]
    command = [sys.executable, "-m", "dnnbridge", "conformance", *options]
    done = subprocess.run(command, env=installed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "autograd on cpu conforms" in done.stdout
    assert "autograd  operation: " in done.stderr
    assert path.exists()


def test_a_backend_of_an_eager_framework_is_small():
    """Core evaluates graphs and runs steps: a backend is a table and four functions."""
    files = (EXAMPLE / "dnnbridge_autograd").glob("*.py")
    assert sum(len(file.read_text("utf-8").splitlines()) for file in files) <= 250

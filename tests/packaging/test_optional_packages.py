"""Without matplotlib and jinja2, only reports and drawings fail; they say what to install."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from dnnbridge.base.packages import EXTRAS

ROOT = Path(__file__).parents[2]
DIGITS = str(ROOT / "examples" / "digits_mlp.py")

WITHOUT = """
import sys
for name in ("matplotlib", "jinja2", "markupsafe"):
    sys.modules[name] = None
import numpy as np
import dnnbridge as db
from dnnbridge.cli import main
from dnnbridge.errors import PackageNotInstalledError

def command(*words):
    main.main([str(word) for word in words], standalone_mode=False)
"""

WORKS = {
    "training": """
model = db.Sequential([db.Input((3,)), db.Dense(2)])
run = db.compile(db.Experiment(model, "mse", db.SGD(0.1)), "reference")
run.fit(np.ones((4, 3)), np.ones((4, 2)))
assert "dense" in str(model.summary())
assert model.plot().svg
""",
    "the command": "command('train', DIGITS, '--data', 'digits', '--backend', 'reference', "
    "'--epochs', 1, '--quiet')",
    "a schedule": "command('schedule', DIGITS, '--steps', 2)",
    "what a notebook shows": """
model = db.Sequential([db.Input((3,)), db.Dense(2)])
run = db.compile(db.Experiment(model, "mse", db.SGD(0.1)), "reference")
history = run.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
for each in (run, history, run.experiment, model.summary(), db.ConstantSchedule(0.1)):
    assert "dnnbridge" in each._repr_html_()
""",
    "numbers of a report": "from dnnbridge.report import Recorder, compare, to_json",
}

REFUSED = {
    "schedule.plot": "db.ExponentialDecay(0.1, 10, 0.5).plot()",
    "history.plot": "h = db.History(); h.record(0, {'loss': 1.0}); h.plot()",
    "write_report": "db.write_report(db.History(), 'a.html')",
    "render": "from dnnbridge.report import render; render(None)",
    "conformance": "from dnnbridge.report.conformance import render; render([])",
}
"""Each raises PackageNotInstalledError."""

COMMANDS = {
    "compare": ("compare", DIGITS, "--data", "digits", "--backends", "reference,tensorflow"),
    "conformance": ("conformance", "--quick", "--report", "a.html"),
    "conformance-report": ("conformance-report", DIGITS, "--report", "a.html"),
    "schedule": ("schedule", DIGITS, "--plot", "a.svg"),
    "report": ("report", DIGITS, "-o", "a.html"),
}
"""Each command ends with the message, before it trains or writes anything."""


def without(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    text = f"{WITHOUT}\nDIGITS = {DIGITS!r}\n{code}\n"
    command = [sys.executable, "-c", text]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)


@pytest.mark.parametrize("code", WORKS.values(), ids=WORKS)
def test_what_needs_no_extra_works(code, tmp_path):
    found = without(code, tmp_path)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("code", REFUSED.values(), ids=REFUSED)
def test_what_needs_the_extra_says_how_to_install_it(code, tmp_path):
    code = f"try:\n    {code}\nexcept PackageNotInstalledError as error:\n    print(error)\n"
    found = without(code, tmp_path)
    assert "Run: pip install 'dnnbridge[report]'" in found.stdout, found.stderr
    assert "needs jinja2 and matplotlib" in found.stdout


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_command_says_it_before_it_begins(words, tmp_path):
    if "reference,tensorflow" in words:
        pytest.importorskip("tensorflow")
    found = without(f"main.main({list(words)!r})", tmp_path)
    assert found.returncode == 1, found.stderr
    assert "Run: pip install 'dnnbridge[report]'" in found.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", EXTRAS)
def test_an_extra_has_these_packages(name):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras, modules = project["optional-dependencies"], EXTRAS[name]
    assert [each.partition(">")[0] for each in extras[name]][: len(modules)] == list(modules)
    (everything,) = extras["all"]
    assert name in everything
    assert "dnnbridge[all]" in extras["test"]
    assert not [each for each in project["dependencies"] if each.startswith(modules)]

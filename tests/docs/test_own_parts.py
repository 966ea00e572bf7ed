"""The page of parts of one's own runs on every backend, and what it saves needs its classes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import dnnbridge as db
from dnnbridge.cli import main
from dnnbridge.errors import CheckpointError, SpecError
from dnnbridge.specs.json_schema import json_schema

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "own-parts.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
KINDS = ("Layer", "Loss", "Metric", "Optimizer", "Schedule", "Initializer", "Regularizer")
KINDS += ("Constraint", "Activation")

LOADED = """
import sys
import my_parts, numpy as np
found = my_parts.db.load(sys.argv[1]).predict(my_parts.x)
print(float(np.abs(found - my_parts.again.predict(my_parts.x)).max()))
"""
"""Loads what another process has saved with another backend, once the classes are imported."""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Run the page on the reference; return the file that it saves."""
    folder = tmp_path_factory.mktemp("parts")
    (folder / "my_parts.py").write_text("\n".join(BLOCKS))
    elsewhere(folder, "reference", "import my_parts")
    return folder / "parts.safetensors"


def elsewhere(folder, backend, code, *arguments):
    places = [str(folder), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, places)),
        "DNNBRIDGE_BACKEND": backend,
    }
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )
    assert not done.returncode, done.stderr
    return done.stdout


def test_every_kind_of_part_is_on_the_page():
    text = "\n".join(BLOCKS)
    for kind in KINDS:
        assert f"(db.Abstract{kind}):" in text, kind
    parts = [block for block in BLOCKS if "\n@db.spec" in "\n" + block]
    assert len(parts) == 8
    for block in parts:
        for part in block.split("@db.spec")[1:]:
            lines = [line for line in re.split(r"\n\n\n", part)[0].splitlines() if line.strip()]
            assert len(lines) <= 13, part


@pytest.mark.parametrize("backend", ["tensorflow", "mindspore"])
def test_the_page_runs_and_loads_what_another_backend_has_saved(backend, saved, tmp_path):
    pytest.importorskip(backend)
    (tmp_path / "my_parts.py").write_text("\n".join(BLOCKS))
    distance = elsewhere(tmp_path, backend, LOADED, saved).split()[-1]
    assert 0.0 < float(distance) < 1e-4


def test_without_the_classes_the_error_says_what_to_do(saved):
    with pytest.raises(CheckpointError, match=r"unknown kind, got '\w+\.\w+'.*import that package"):
        db.load(saved, "reference")


PARTS = '''
import dnnbridge as db

@db.spec
class TwiceTheSize(db.AbstractLayer):
    """2 x"""

    def emit(self, scope, x):
        return 2.0 * x
'''

FILE = """
from pathlib import Path

import dnnbridge as db
import twice_parts_of_a_test

experiment = db.Experiment.from_json(Path({path!r}).read_text())
"""


def test_the_command_line_finds_parts_beside_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "twice_parts_of_a_test.py").write_text(PARTS)
    model = db.Sequential([db.Input((64,)), db.Dense(10)])
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    data = db.Experiment(model, loss, db.SGD(0.01)).to_dict()
    data["model"]["layers"].insert(1, {"kind": "layer.TwiceTheSize"})
    (tmp_path / "e.json").write_text(json.dumps(data))
    file = tmp_path / "e.py"
    file.write_text(FILE.format(path=str(tmp_path / "e.json")))
    asked = ["--data", "digits", "--epochs", "1", "--backend", "reference", "--quiet"]
    alone = CliRunner().invoke(main, ["train", str(tmp_path / "e.json"), *asked])
    assert "unknown kind" in alone.output
    result = CliRunner().invoke(main, ["train", str(file), *asked])
    assert result.exit_code == 0, result.output
    assert "test  loss" in result.output


def test_a_field_may_be_annotated_with_the_base_of_a_family():
    @db.spec
    class Around(db.AbstractLayer):
        """f(x), with f given by name or as a spec."""

        activation: db.AbstractActivation = "relu"
        rate: float | db.AbstractSchedule = 0.1
        start: db.AbstractInitializer = "zeros"
        inner: db.AbstractLayer | None = None

        def emit(self, scope, x):
            shift = scope.parameter("shift", x.shape[1:], self.start)
            return scope.call(self.activation, x + shift, name="f")

    assert Around().activation == db.ReLU()
    assert Around(None).activation == db.Linear()
    assert Around("tanh") == Around(db.Tanh())
    assert Around(rate=0.5).rate == 0.5
    decay = db.ExponentialDecay(0.1, 10, 0.5)
    assert Around.from_json(Around(rate=decay).to_json()).rate == decay
    properties = json_schema(Around)["$defs"]["layer.Around"]["properties"]
    assert properties["activation"]["$ref"] == "#/$defs/activation"
    assert {"$ref": "#/$defs/schedule"} in properties["rate"]["anyOf"]
    assert {"$ref": "#/$defs/layer"} in properties["inner"]["anyOf"]
    with pytest.raises(SpecError, match=r"Around\.activation.*expected an activation"):
        Around(3.0)
    with pytest.raises(SpecError, match="Did you mean 'zeros'"):
        Around(start="zeroes")


def test_a_wrong_name_of_an_initializer_is_an_error_at_its_place():
    @db.spec
    class Nudged(db.AbstractLayer):
        """x + b"""

        def emit(self, scope, x):
            return x + scope.parameter("shift", x.shape[1:], "zeroz")

    with pytest.raises(SpecError, match=r"nudged/shift: .*Did you mean 'zero'"):
        db.Sequential([db.Input((2,)), Nudged()]).summary()

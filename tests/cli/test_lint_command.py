"""`dnnbridge lint`: its text, its JSON and its exit status."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import dnnbridge as db
from dnnbridge.cli import main


def lint(*arguments):
    return CliRunner().invoke(main, ["lint", *map(str, arguments)])


@pytest.fixture
def spec(tmp_path):
    layers = [db.Dense(4, name="first"), db.BatchNormalization(name="norm")]
    experiment = db.Experiment(db.Sequential([db.Input((3,)), *layers]), "mse", db.Adam())
    path = tmp_path / "spec.json"
    path.write_text(experiment.to_json())
    return path


def test_findings_end_with_status_1(spec):
    done = lint(spec)
    assert done.exit_code == 1
    assert done.output.splitlines()[0].startswith("3 of 4 parts give other numbers in MindSpore")
    assert "nn.BatchNorm1d(4, eps=0.001, momentum=0.99)" in done.output
    plain = json.loads(lint(spec, "--json", "--to", "mindspore").output)
    assert {"batch-norm-defaults", "adam-epsilon"} <= {e["rule"] for e in plain["findings"]}


def test_nothing_found_ends_with_status_0(spec):
    done = lint(spec, "--to", "tensorflow")
    assert done.exit_code == 0
    assert done.output == "No known difference of 4 parts in Keras under the same name.\n"


def test_other_losses_and_optimizers(spec):
    done = lint(spec, "--loss", "kl_divergence", "--optimizer", "rmsprop")
    assert "(kl-mean)" in done.output
    assert "(rmsprop-start)" in done.output
    assert "(adam-epsilon)" not in done.output


def test_a_python_file_is_run_for_its_experiment(spec, tmp_path):
    file = tmp_path / "spec.py"
    file.write_text(
        "from pathlib import Path\nimport dnnbridge as db\n"
        f"experiment = db.Experiment.from_json(Path({str(spec)!r}).read_text())\n"
    )
    assert lint(file).output == lint(spec).output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("missing.keras",), "the file does not exist"),
        (("SPEC", "--loss", "none_such"), "none_such"),
        (("SPEC", "--input-shape", "a,b"), "a shape is sizes without the batch"),
        (("SPEC", "--to", "torch"), "Invalid value for '--to'"),
    ],
)
def test_errors_end_with_status_2(arguments, words, spec):
    done = lint(*(spec if each == "SPEC" else each for each in arguments))
    assert done.exit_code == 2
    assert words in done.output

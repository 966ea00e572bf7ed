"""`dnnbridge align`: its files, backends, answers and exit status."""

from __future__ import annotations

import json
import sys
from types import ModuleType

import numpy as np
import pytest
from click.testing import CliRunner
from doctor.aligning_nets import DATA, net

import dnnbridge as db
from dnnbridge.cli import main


def align(*arguments):
    return CliRunner().invoke(main, ["align", *map(str, arguments)])


@pytest.fixture
def files(tmp_path):
    """An experiment, another one as a Python file, a checkpoint, and data."""
    spec, other = tmp_path / "first.json", tmp_path / "second.py"
    spec.write_text(net().to_json())
    (tmp_path / "other.json").write_text(net(optimizer=db.SGD(0.2)).to_json())
    other.write_text(
        "from pathlib import Path\nimport dnnbridge as db\n"
        "text = Path(__file__).with_name('other.json').read_text()\n"
        "experiment = db.Experiment.from_json(text)\n"
    )
    db.compile(net(seed=7), "reference").save(tmp_path / "run.safetensors")
    np.savez(tmp_path / "data.npz", x=DATA[0], y=DATA[1])
    return tmp_path


def shared(files, *more):
    options = ("--steps", 3, "--batch-size", 4, "--backends", "reference")
    return ("--data", files / "data.npz", *options, *more)


def test_two_that_part_end_with_status_1_and_the_verdict_first(files):
    page, numbers = files / "page.html", files / "out.json"
    more = shared(files, "--report", page, "--json", numbers)
    done = align(files / "first.json", files / "second.py", *more)
    assert done.exit_code == 1, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("They part at step 1, in the update of hidden/kernel: 1.0e+00")
    assert lines[-2:] == [f"Report: {page}", f"JSON: {numbers}"]
    made = json.loads(numbers.read_text())
    assert (made["agrees"], made["steps"]) == (False, 3)
    assert made["setting"]["Batch size"] == "4, so 3 steps in an epoch"
    assert made["setting"]["Validation"] == "4 examples"  # a fifth of the data
    text = page.read_text()
    assert "first.json on reference and second.py on reference</h1>" in text
    assert "learning_rate of SGD is 0.1 here and 0.2 there." in text


def test_two_that_agree_end_with_status_0(files):
    first, run = files / "first.json", files / "run.safetensors"
    done = align(run, first, *shared(files, "--no-validation"))
    assert done.exit_code == 0, done.output
    assert done.stdout == "They agree: 3 steps, all numbers equal.\n"


def test_another_seed_gives_other_weights(files):
    def numbers(*seed):
        align(files / "first.json", files / "second.py", *shared(files, *seed, "--json", out))
        return json.loads(out.read_text())["differences"][0]["effect"]

    out = files / "out.json"
    assert numbers() == numbers("--seed", "0") != numbers("--seed", "5")


def test_one_file_on_two_backends(files):
    options = ("--data", files / "data.npz", "--steps", 2, "--backends", "reference,tensorflow")
    done = align(files / "first.json", *options)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("They agree: 2 steps, ")


def test_a_keras_file_in_keras_and_here(files):
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((5,)), *layers])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.save(files / "model.keras")
    options = ("--data", files / "data.npz", "--steps", 2, "--json", files / "out.json")
    done = align(files / "model.keras", *options, "--backends", "keras,reference")
    assert done.exit_code == 0, done.output
    setting = json.loads((files / "out.json").read_text())["setting"]
    assert (setting["First"], setting["Second"]) == ("Keras", "reference")
    assert "keras" in json.loads((files / "out.json").read_text())["environment"]


WRONG = {
    "no data": (("first.json", "second.py"), "--data: data are needed"),
    "no file": (("first.json", "none.json", "--data", "digits"), "there is no such file"),
    "alone": (("first.json", "--data", "digits"), "one file alone is compared on two backends"),
    "no second backend": (
        ("first.json", "--data", "digits", "--backends", "reference"),
        "one file alone is compared on two backends, got reference",
    ),
    "backend": (
        ("first.json", "second.py", "--data", "digits", "--backends", "numpy"),
        "unknown backend",
    ),
    "three": (
        ("first.json", "second.py", "--data", "digits", "--backends", "a,b,c"),
        "must be one backend or two",
    ),
    "keras": (
        ("first.json", "second.py", "--data", "digits", "--backends", "keras,reference"),
        "Keras itself runs .keras files only",
    ),
    "seed": (
        ("run.safetensors", "first.json", "--data", "digits", "--seed", "3"),
        "only an experiment takes another seed",
    ),
    "kind": (("data.npz", "first.json", "--data", "digits"), "not a Python or JSON file"),
    "data": (("first.json", "second.py", "--data", "digits"), "x_train"),
    "report": (
        ("first.json", "second.py", "--data", "digits", "--report", "none/a.html"),
        "report: cannot be written",
    ),
    "one trace": (("a.trace", "first.json"), "compared with another .trace file"),
    "trace alone": (("a.trace",), "compared with another .trace file"),
    "options of traces": (
        ("a.trace", "b.trace", "--data", "digits", "--steps", "3"),
        "two .trace files hold all that is compared, got --steps, --data",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_compared_ends_with_status_2(files, monkeypatch, name):
    arguments, said = WRONG[name]
    monkeypatch.chdir(files)
    done = align(*arguments)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert said in done.stderr


class Answer:
    """What `align_traces` returns, for the tests of the command."""

    def __init__(self, a, b):
        self.names, self.agrees = (a.name, b.name), a.name == b.name

    def __str__(self):
        return f"{self.names[0]} and {self.names[1]}"

    def to_json(self):
        return json.dumps(self.names)


class Shown(Answer):
    """One with a page."""

    def write_html(self, path):
        path.write_text(str(self))


@pytest.fixture
def traces(monkeypatch):
    """Return what sets the class of the answer."""

    def use(kind):
        module = ModuleType("dnnbridge.doctor.traces")
        module.align_traces = kind
        monkeypatch.setitem(sys.modules, "dnnbridge.doctor.traces", module)

    return use


def test_traces_are_compared_without_data(tmp_path, traces):
    traces(Answer)
    out = tmp_path / "out.json"
    done = align("a.trace", "b.trace", "--json", out)
    assert (done.exit_code, done.stdout) == (1, f"a.trace and b.trace\nJSON: {out}\n")
    assert json.loads(out.read_text()) == ["a.trace", "b.trace"]
    assert align("a.trace", "a.trace").exit_code == 0


def test_traces_have_a_page_if_their_answer_has_one(tmp_path, traces):
    page = tmp_path / "page.html"
    traces(Answer)
    done = align("a.trace", "b.trace", "--report", page)
    assert (done.exit_code, page.exists()) == (2, False)
    assert "two .trace files have no page" in done.stderr
    traces(Shown)
    assert align("a.trace", "b.trace", "--report", page).exit_code == 1
    assert page.read_text() == "a.trace and b.trace"

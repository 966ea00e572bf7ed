"""`dnnbridge align`: its files, backends, answers and exit status."""

from __future__ import annotations

import json

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


def test_keras_gets_no_file_that_cannot_be_read_as_data(files, monkeypatch):
    keras = pytest.importorskip("keras")
    layers = [keras.layers.Lambda(lambda x: 2 * x), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((5,)), *layers])
    model.compile("sgd", "mse")
    model.save(files / "model.keras")
    loaded = []
    monkeypatch.setattr(keras.saving, "load_model", lambda *a, **k: loaded.append(a))
    options = ("--data", files / "data.npz", "--backends", "keras,reference")
    done = align(files / "model.keras", *options)
    assert done.exit_code
    assert "Lambda" in done.output
    assert not loaded


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


@pytest.fixture(scope="module")
def traces(tmp_path_factory):
    """Return a folder with traces of two trainings of one rate, and one of another rate."""
    folder = tmp_path_factory.mktemp("traces")
    x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(32, 2)
    model = db.Sequential([db.Input((2,)), db.Dense(3, "tanh", name="hidden"), db.Dense(1)])
    for name, rate in (("a", 0.1), ("same", 0.1), ("b", 0.2)):
        run = db.compile(db.Experiment(model, "mse", db.SGD(rate)), "reference")
        trace = db.Trace(folder / f"{name}.trace", every=2)
        run.fit(x, x[:, :1], 8, 2, callbacks=[trace], verbose=0)
    return folder


def test_traces_are_compared_without_data(traces, tmp_path):
    out = tmp_path / "out.json"
    done = align(traces / "a.trace", traces / "b.trace", "--json", out)
    assert done.exit_code == 1, done.output
    assert "They part at step 1, in the learning rate" in done.stdout.splitlines()[0]
    assert json.loads(out.read_text())["agrees"] is False
    done = align(traces / "a.trace", traces / "same.trace")
    assert done.exit_code == 0, done.output
    assert "They agree" in done.stdout


def test_traces_have_no_page(traces, tmp_path):
    done = align(traces / "a.trace", traces / "b.trace", "--report", tmp_path / "page.html")
    assert done.exit_code == 2
    assert "two .trace files have no page" in done.stderr

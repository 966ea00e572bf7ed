"""The command line: what it prints and writes; each mistake gives one clear line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

import dnnbridge as db
from dnnbridge.backend import choosing
from dnnbridge.backend.choosing import Choice
from dnnbridge.backend.plugins import available_backends
from dnnbridge.base.machine import machine
from dnnbridge.cli import main
from dnnbridge.cli.reading import read_experiment

EXAMPLES = Path(__file__).parents[2] / "examples"
DIGITS = str(EXAMPLES / "digits_mlp.py")

SMALL = """
import dnnbridge as db
from beside import units

experiment = db.Experiment(
    model=db.Sequential([db.Input((64,)), db.Dense(units, activation="relu"), db.Dense(10)]),
    loss=db.SparseCategoricalCrossentropy(from_logits=True),
    optimizer=db.SGD(db.ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)),
    metrics=["accuracy"],
)
"""

WILD = """
import dnnbridge as db

experiment = db.Experiment(
    model=db.Sequential([db.Input((64,)), db.Dense(10, kernel_regularizer=db.L2(1.0))]),
    loss=db.SparseCategoricalCrossentropy(from_logits=True),
    optimizer=db.SGD(1e38),
)
"""

TOY = '''
"""Backends that misbehave, for the tests of `compare`."""
from dnnbridge.backend.protocol import BackendInfo
from dnnbridge.backend.hookspecs import hookimpl
from dnnbridge.reference.backend import ReferenceBackend, ReferenceExecutable


class Drifting(ReferenceExecutable):
    steps = 0

    def run(self, function, feeds, steps):
        self.steps += steps * (function == "train")
        if self.steps > 45:
            self._state = {name: 1.01 * array for name, array in self._state.items()}
        return super().run(function, feeds, steps)


class Failing(ReferenceExecutable):
    def run(self, function, feeds, steps):
        raise RuntimeError("the device is on fire")


class Backend(ReferenceBackend):
    def __init__(self, name):
        self.info = INFOS[name]

    def compile(self, program, device):
        return {"drifting": Drifting, "failing": Failing}[self.info.name](program)


INFOS = {
    "drifting": BackendInfo("drifting"),
    "failing": BackendInfo("failing"),
    "missing": BackendInfo("missing", modules=("no_such_module",), install="pip install nothing"),
}


@hookimpl
def dnnbridge_backend_info(name):
    return INFOS.get(name)


@hookimpl
def dnnbridge_backend(name):
    return Backend(name)
'''


def call(*args: str | Path) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args])


def succeed(*args: str | Path) -> str:
    result = call(*args)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """An experiment file that imports a module beside it."""
    (tmp_path / "beside.py").write_text("units = 12\n")
    (tmp_path / "small.py").write_text(SMALL)
    before = list(sys.path)
    yield tmp_path / "small.py"
    sys.path[:] = before
    sys.modules.pop("beside", None)


@pytest.fixture
def toys(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install three more backends, for this process and those that `compare` starts."""
    folder = tmp_path_factory.mktemp("toys")
    (folder / "toy_backends.py").write_text(TOY)
    info = folder / "toy_backends-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-backends\nVersion: 1.0\n")
    lines = [f"{name} = toy_backends" for name in ("drifting", "failing", "missing")]
    (info / "entry_points.txt").write_text("\n".join(["[dnnbridge.backends]", *lines]))
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))


def train(file: str | Path, *args: str | Path) -> tuple[str | Path, ...]:
    return ("train", file, "--data", "digits", "--backend", "reference", *args)


def test_train_prints_epochs_and_final_metrics(small: Path) -> None:
    output = succeed(*train(small, "--epochs", "2"))
    assert "digits: examples reshaped, from shape (8, 8) to (64,)" in output
    assert len(re.findall(r"^epoch \d/2  loss .* val_accuracy", output, re.M)) == 2
    assert re.search(r"^test  loss \d\.\d+  accuracy 0\.\d+$", output, re.M)


def test_profile_says_where_the_time_goes(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "_TAKEN", {})  # a test before may have chosen in this process
    output = succeed(
        "profile", small, "--data", "digits", "--backend", "reference", "--epochs", "1"
    )
    assert re.search(r"step +[\d.]+ +100%", output)
    assert re.search(r"outside: batches, scalars, losses +[\d.]+ +\d+%", output)
    assert "1 ValueAndGrad" in output
    assert "kernels chosen" not in output


def test_profile_says_which_kernels_were_chosen(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = Choice("toy.work: a form", "fast", {"slow": 0.002, "fast": 0.0015})
    monkeypatch.setattr(choosing, "_TAKEN", {chosen.question: chosen})
    output = succeed(
        "profile", small, "--data", "digits", "--backend", "reference", "--epochs", "1"
    )
    assert f"kernels chosen on {machine()}:" in output
    assert "toy.work: a form: fast (slow 2.00 ms, fast 1.50 ms)" in output


def test_quiet_prints_the_metrics_only(small: Path) -> None:
    output = succeed(*train(small, "--epochs", "1", "--quiet"))
    assert re.fullmatch(r"test  loss [\d.]+  accuracy [\d.]+\n", output)


def test_without_validation(small: Path) -> None:
    assert "val_loss" not in succeed(*train(small, "--epochs", "1", "--no-validation"))


def test_json_file_trains_like_the_python_file(small: Path, tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    path.write_text(read_experiment(small).to_json())
    runs = [succeed(*train(file, "--epochs", "1", "--quiet")) for file in (small, path)]
    assert runs[0] == runs[1]


def test_seed_replaces_the_seed(small: Path) -> None:
    runs = [
        succeed(*train(small, "--epochs", "1", "--quiet", "--seed", seed)) for seed in ("0", "1")
    ]
    assert runs[0] == succeed(*train(small, "--epochs", "1", "--quiet"))
    assert runs[0] != runs[1]


def test_save_and_resume_is_one_long_training(small: Path, tmp_path: Path) -> None:
    saved, final = tmp_path / "half {odd}.safetensors", tmp_path / "final.safetensors"
    succeed(*train(small, "--epochs", "2", "--save", saved))
    resumed = succeed(*train(small, "--epochs", "1", "--resume", saved, "--save", final, "--quiet"))
    assert resumed == succeed(*train(small, "--epochs", "3", "--quiet"))
    assert db.load(final, backend="reference").position.epoch == 3


@pytest.mark.parametrize("choice", ["stop", "warn"])
def test_what_is_not_finite_ends_training(small: Path, tmp_path: Path, choice: str) -> None:
    file, saved = tmp_path / "wild.py", tmp_path / "run.safetensors"
    file.write_text(WILD)
    succeed(*train(small, "--epochs", "1", "--save", saved))
    good = saved.read_bytes()
    result = call(*train(file, "--epochs", "3", "--on-nonfinite", choice, "--save", saved))
    assert saved.read_bytes() == good
    spoilt = db.load(tmp_path / "run.nonfinite.safetensors", backend="reference")
    if choice == "warn":
        assert (result.exit_code, spoilt.position.epoch) == (0, 3)
        return
    assert result.exit_code == 1
    assert spoilt.position.epoch <= 1
    said = r"^Error: training ended at step \d+: the outputs of all layers are finite, and the loss"
    assert re.search(said, result.output, re.M)
    assert "Traceback" not in result.output
    assert "test  loss" not in result.output


@pytest.mark.parametrize("name", ["digits_mlp.py", "mnist_mlp.py"])
def test_examples_are_experiments(name: str) -> None:
    assert isinstance(read_experiment(EXAMPLES / name), db.Experiment)


def write(folder: Path, name: str, content: str) -> Path:
    (folder / name).write_text(content)
    return folder / name


BAD_FILES = {
    "no-name": ("e.py", "import dnnbridge\n", ["e.py", "no `experiment`"]),
    "other-name": ("e.py", SMALL.replace("experiment =", "mine ="), ["Rename mine"]),
    "not-one": ("e.py", "experiment = 3\n", ["dnnbridge.Experiment", "got 3"]),
    "raises": ("e.py", "a = 1\nb = a / 0\n", ["e.py:2", "ZeroDivisionError: division by zero"]),
    "syntax": ("e.py", "a = 1\nb = (\n", ["e.py:2", "SyntaxError"]),
    "exits": ("e.py", "raise SystemExit(3)\n", ["e.py:1", "SystemExit: 3"]),
    "bad-spec": ("e.py", "import dnnbridge as db\ndb.Dense(-1)\n", ["e.py:2: Dense.units"]),
    "bad-field": ("e.py", "import dnnbridge as db\ndb.Dense(3, unit=1)\n", ["Did you mean units"]),
    "suffix": ("e.txt", "", ["e.txt", ".py", ".json"]),
    "no-json": ("e.json", "{", ["e.json", "not JSON"]),
    "other-json": ("e.json", '{"kind": "Dense", "units": 3}', ["e.json", "not an experiment"]),
}


def assert_clean_error(result: Result, status: int, words: list[str]) -> None:
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    assert len(re.findall(r"^Error: .+$", result.output, re.M)) == 1
    assert "epoch " not in result.output
    for word in words:
        assert word in result.output


@pytest.mark.parametrize(("name", "content", "words"), BAD_FILES.values(), ids=BAD_FILES)
def test_bad_files(small: Path, tmp_path: Path, name: str, content: str, words: list[str]) -> None:
    assert_clean_error(call(*train(write(tmp_path, name, content))), 1, words)


BAD_OPTIONS = {
    "unknown-backend": (["--backend", "tensorflw"], 1, ["'tensorflw'", "Known:", "reference"]),
    "not-installed": (["--backend", "missing"], 1, ["missing", "Run: pip install nothing"]),
    "device": (["--device", "gpu"], 1, ["reference", "'gpu'", "cpu"]),
    "data": (["--data", "digit"], 1, ["Did you mean 'digits'"]),
    "data-file": (["--data", "none.npz"], 1, ["none.npz", "cannot be read"]),
    "resume": (["--resume", DIGITS], 1, ["digits_mlp.py", "safetensors"]),
    "save-folder": (["--save", f"{DIGITS}/x"], 1, ["save", "digits_mlp.py/x"]),
    "save-name": (["--save", "run.h5"], 1, ["run.h5", "Keras", "'run.safetensors'"]),
    "epochs": (["--epochs", "0"], 2, ["--epochs"]),
    "batch-size": (["--batch-size", "few"], 2, ["--batch-size"]),
    "unknown-option": (["--epoch", "3"], 2, ["--epoch"]),
}


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize(("args", "status", "words"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_bad_options(small: Path, args: list[str], status: int, words: list[str]) -> None:
    assert_clean_error(call(*train(small, *args)), status, words)


def test_no_file() -> None:
    assert_clean_error(call(*train("none.py")), 2, ["none.py"])


def test_wrong_shapes(small: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=np.zeros((10, 63)), y=np.arange(10))
    result = call(*train(small, "--data", tmp_path / "data.npz"))
    assert_clean_error(result, 1, ["data.npz.x_train", "64 elements", "63 elements"])


def test_resume_of_another_experiment(small: Path, tmp_path: Path) -> None:
    succeed(*train(small, "--epochs", "1", "--save", tmp_path / "run.safetensors"))
    result = call(*train(DIGITS, "--resume", tmp_path / "run.safetensors"))
    assert_clean_error(result, 1, ["another experiment", "model and optimizer"])


def compare(file: str | Path, backends: str, *args: str | Path) -> tuple[str | Path, ...]:
    return ("compare", file, "--data", "digits", "--backends", backends, *args)


@pytest.mark.usefixtures("toys")
def test_compare_finds_where_a_backend_drifts(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    output = succeed(*compare(small, "drifting,reference", "--epochs", "2", "--json", "out.json"))
    assert re.search(r"^drifting   epoch 2/2  loss", output, re.M)
    assert "All backends began with bit-identical weights." in output
    assert "differ by more than 1e-04 at step 46 (epoch 2)" in output
    assert "The model has operations with kinks (Relu)" in output
    assert "drifting – reference" in (tmp_path / "dnnbridge-report.html").read_text("utf-8")
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["pairs"][0]["epochs"][0]["parameters"] == 0
    assert found["pairs"][0]["parting"]["step"] == 46


@pytest.mark.usefixtures("toys")
def test_compare_shows_why_a_process_failed(small: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    result = call(*compare(small, "failing,reference", "--report", report))
    assert result.exit_code == 1
    assert "Error: failing: the training process failed, got exit status 1" in result.output
    assert "RuntimeError: the device is on fire" in result.output
    assert "epoch 1/" not in result.output
    assert not report.exists()


def test_compare_refuses_a_file_that_changes(tmp_path: Path, toys: None) -> None:
    text = SMALL.replace("from beside import units", "import os\nunits = os.getpid()")
    file = write(tmp_path, "changing.py", text)
    result = call(*compare(file, "drifting,reference"))
    assert result.exit_code == 1
    assert "same experiment each time" in result.output


BAD_COMPARISONS = {
    "one": (["--backends", "reference"], ["two or more", "got reference"]),
    "twice": (["--backends", "reference,reference"], ["two or more different"]),
    "unknown": (["--backends", "reference,tensorflw"], ["'tensorflw'", "Known:"]),
    "not-installed": (["--backends", "reference,missing"], ["Run: pip install nothing"]),
    "data": (["--data", "none"], ["unknown data set"]),
    "report": (["--report", f"{DIGITS}/x"], ["report", "cannot be written"]),
}


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize(("args", "words"), BAD_COMPARISONS.values(), ids=BAD_COMPARISONS)
def test_bad_comparisons_start_no_process(
    small: Path, args: list[str], words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    assert_clean_error(call(*compare(small, "drifting,reference", *args)), 1, words)


@pytest.mark.usefixtures("toys")
def test_backends_lists_all() -> None:
    output = succeed("backends")
    for backend in available_backends():
        assert re.search(rf"^ ?{backend.name} .*{', '.join(backend.devices)}", output, re.M)
    assert re.search(r"missing +no .*pip install nothing", output)
    assert len(re.findall(r"\bdefault\b", output)) == 1


def printed(output: str) -> list[float]:
    rows = [line.split() for line in output.splitlines()]
    assert [int(step) for step, _ in rows] == list(range(len(rows)))
    return [float(value) for _, value in rows]


def test_schema_of_an_experiment(tmp_path: Path) -> None:
    printed_one = json.loads(succeed("schema"))
    assert printed_one["$ref"] == "#/$defs/Experiment"
    out = tmp_path / "experiment.schema.json"
    assert str(out) in succeed("schema", "--out", out)
    assert json.loads(out.read_text("utf-8")) == printed_one
    result = call("schema", "--out", tmp_path / "nowhere" / "file.json")
    assert result.exit_code == 1
    assert "out: cannot be written" in result.output


def test_schedule_of_a_list_function() -> None:
    output = succeed("schedule", "exponential_decay_lr", "0.1", "0.9", "6", "2", "1")
    assert printed(output) == db.exponential_decay_lr(0.1, 0.9, 6, 2, 1)


def test_schedule_of_a_class_with_names_and_lists() -> None:
    args = ["--arg", "boundaries=[2, 3]", "--arg", "rates=[0.1, 0.05, 0.01]", "--steps", "5"]
    expected = db.PiecewiseConstant((2, 3), (0.1, 0.05, 0.01)).values(5)
    assert printed(succeed("schedule", "PiecewiseConstant", *args)) == expected


def test_schedule_under_its_name_in_a_framework() -> None:
    output = succeed("schedule", "InverseDecayLR", "0.1", "0.5", "--arg", "decay_steps=2")
    assert printed(output) == db.InverseTimeDecay(0.1, 2, 0.5).values(20)
    output = succeed("schedule", "PiecewiseConstantDecay", "[2]", "[0.1, 0.05]", "--steps", "4")
    assert printed(output) == [0.1, 0.1, 0.1, 0.05]


def test_schedule_that_listens_is_shown_as_it_is() -> None:
    inner = db.PowerDecay(0.1, 5)
    given = ["--arg", f"learning_rate={json.dumps(inner.to_dict())}", "--arg", "patience=3"]
    assert printed(succeed("schedule", "Plateau", *given)) == inner.values(20)
    assert printed(succeed("schedule", "Plateau", "0.1", "--steps", "3")) == [0.1] * 3
    reduced = ["--arg", "scale=0.1", "--arg", "min_lr=0.02", "--steps", "1"]
    assert printed(succeed("schedule", "Plateau", "0.1", *reduced)) == [0.02]


def test_schedule_of_a_file(small: Path) -> None:
    expected = db.ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5).values(7)
    assert printed(succeed("schedule", small, "--steps", "7")) == expected


def test_schedule_of_a_file_with_an_optimizer_inside_another(tmp_path: Path) -> None:
    model = db.Sequential([db.Input((2,)), db.Dense(1)])
    inner = db.ExponentialMovingAverage(db.Adam(db.CosineDecay(0.1, 10)))
    experiment = db.Experiment(model, db.MeanSquaredError(), db.Lookahead(inner))
    (tmp_path / "wrapped.json").write_text(experiment.to_json())
    output = succeed("schedule", tmp_path / "wrapped.json", "--steps", "4")
    assert printed(output) == db.CosineDecay(0.1, 10).values(4)


@pytest.mark.parametrize(("suffix", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_schedule_plot(tmp_path: Path, suffix: str, start: bytes) -> None:
    path = tmp_path / f"plot.{suffix}"
    succeed("schedule", "CosineDecay", "0.1", "10", "--plot", path)
    assert path.read_bytes().startswith(start)


BAD_SCHEDULES = {
    "unknown": (["ExponentialDeca", "0.1"], 1, ["Did you mean 'ExponentialDecay'", "FILE.json"]),
    "not-json": (["CosineDecay", "os.system('true')", "3"], 1, ["value 1", "JSON literal"]),
    "infinite": (["CosineDecay", "Infinity", "3"], 1, ["value 1", "JSON literal"]),
    "range": (["CosineDecay", "0.1", "0"], 1, ["CosineDecay.decay_steps", "got 0"]),
    "missing": (["CosineDecay", "0.1"], 1, ["missing", "decay_steps"]),
    "too-many": (["CosineDecay", "1.0", "2", "0.0", "4"], 1, ["too many values", "It takes"]),
    "twice": (["CosineDecay", "1.0", "--arg", "initial_learning_rate=2.0"], 1, ["too many"]),
    "unknown-field": (
        ["CosineDecay", "1.0", "3", "--arg", "beta=1"],
        1,
        ["beta", "CosineDecay takes"],
    ),
    "no-pair": (["CosineDecay", "--arg", "alpha"], 1, ["name=value"]),
    "native-missing": (["WarmUpLR", "0.1"], 1, ["WarmUpLR", "warmup_steps", "It takes"]),
    "native-close": (["WarmupLR", "0.1"], 1, ["Did you mean 'WarmUpLR'"]),
    "unknown-goal": (["Plateau", "0.1", '"heat"'], 1, ["Plateau.monitor", "'heat'", "mode"]),
    "list-missing": (["warmup_lr", "0.1"], 1, ["warmup_lr", "total_step", "It takes"]),
    "list-type": (["warmup_lr", "0.1", "6", "2.5", "2"], 1, ["step_per_epoch", "2.5"]),
    "list-steps": (["warmup_lr", "0.1", "6", "2", "2", "--steps", "3"], 1, ["--steps"]),
    "no-file": (["none.py"], 1, ["no such file"]),
    "file-arguments": ([DIGITS, "3"], 1, ["takes no arguments"]),
    "plot": (["CosineDecay", "0.1", "3", "--plot", "plot.doc"], 2, [".svg or .png"]),
}


@pytest.mark.parametrize(("args", "status", "words"), BAD_SCHEDULES.values(), ids=BAD_SCHEDULES)
def test_bad_schedules(args: list[str], status: int, words: list[str]) -> None:
    assert_clean_error(call("schedule", *args), status, words)


def commands() -> dict[str, click.Command]:
    assert isinstance(main, click.Group)
    return dict(main.commands)


@pytest.mark.parametrize("name", commands())
def test_every_command_has_help(name: str) -> None:
    assert succeed(name, "--help").startswith("Usage: ")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, dnnbridge.cli\n"
        "heavy = {'numpy', 'pydantic', 'matplotlib', 'jinja2', 'tensorflow', 'mindspore'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_module_is_the_command(small: Path) -> None:
    args = [sys.executable, "-m", "dnnbridge", "schedule", str(small), "--steps", "1"]
    environment = os.environ | {"PYTHONWARNINGS": "error"}
    found = subprocess.run(args, capture_output=True, text=True, check=True, env=environment)
    assert found.stdout == "     0  0.1\n"
    assert found.stderr == ""


TERMINAL = """
import fcntl, os, pty, struct, sys, termios
columns, *command = sys.argv[1:]
process, terminal = pty.fork()
if not process:
    os.environ.pop("COLUMNS", None)
    os.environ["TERM"] = "xterm"
    os.execv(sys.executable, [sys.executable, "-m", "dnnbridge", *command])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, int(columns), 0, 0))
try:
    while data := os.read(terminal, 65536):
        sys.stdout.buffer.write(data)
except OSError:
    pass
"""


def on_terminal(columns: int, *args: str | Path) -> list[str]:
    """Return the lines that a command writes to a terminal with the given number of columns."""
    command = [sys.executable, "-c", TERMINAL, str(columns), *map(str, args)]
    found = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", found)
    return [line for line in re.split(r"[\r\n]+", plain) if line.strip()]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pty")
@pytest.mark.parametrize("columns", [80, 60])
def test_lines_fit_a_terminal_and_numbers_are_whole(small: Path, columns: int) -> None:
    lines = on_terminal(columns, *train(small, "--epochs", "2"))
    assert max(map(len, lines)) <= columns
    text = re.sub(r"\n *", "  ", "\n".join(lines))
    numbers = r"epoch \d/2  loss [\d.]+  accuracy 0\.\d+  val_loss [\d.]+  val_accuracy 0\.\d+"
    assert len(re.findall(numbers, text)) == 2


def test_the_list_of_backends_fits_a_terminal() -> None:
    assert max(map(len, on_terminal(60, "backends"))) <= 60


def test_a_wide_table_of_numbers_is_printed_in_parts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.table import Table

    from dnnbridge.cli import tables

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    table = Table("key")
    for k in range(5):
        table.add_column(f"column{k}", justify="right")
    table.add_row("first", *(f"{k}.23456789" for k in range(5)))
    tables.print_table(table)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= 40
    for k in range(5):
        assert sum(f"{k}.23456789" in line for line in lines) == 1
    assert sum("first" in line for line in lines) == 3


WRONG = {
    "select": (["conformance", "--select", "nosuchthing"], "'nosuchthing'"),
    "device": (["conformance", "--backend", "tensorflow", "--device", "tpu"], "'tpu'"),
    "default-device": (["conformance", "--device", "tpu"], "'tpu'"),
    "backend": (["conformance", "--backend", "tensorflow,nosuch"], "'nosuch'"),
    "against": (["conformance", "--against", __file__], "test_cli.py"),
    "report": (["conformance", "--report", f"{__file__}/x"], "cannot be written"),
    "profile": (["profile", DIGITS, "--data", "digits", "--device", "tpu"], "'tpu'"),
    "train": (["train", DIGITS, "--data", "digits", "--device", "tpu"], "'tpu'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_refused_before_a_framework_is_imported(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dnnbridge.backend import plugin_loading

    def imported(name: str) -> None:
        raise AssertionError(f"{name} was imported")

    monkeypatch.setattr(plugin_loading, "loaded", imported)
    monkeypatch.setattr("dnnbridge.backend.plugins.loaded", imported)
    args, words = WRONG[name]
    result = call(*args)
    assert result.exit_code in (1, 2)
    assert words in result.output

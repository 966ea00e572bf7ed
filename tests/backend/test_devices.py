"""A device is named, counted and refused in one way on every backend, before any work."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

import dnnbridge as db
from dnnbridge.backend.device import Device, device_kind, names_of, parse_device
from dnnbridge.backend.hookspecs import BackendPlugin
from dnnbridge.backend.plugins import choose_device
from dnnbridge.backend.protocol import BackendInfo, Limitation, check_supported
from dnnbridge.cli import main
from dnnbridge.cli.workers import _Worker
from dnnbridge.errors import BackendError, DeclaredLimitationError, DeviceError, DTypeError
from dnnbridge.ops import Tanh
from dnnbridge.reference.backend import ReferenceBackend
from dnnbridge.testing.suite import _subject
from dnnbridge.training.compiling import check_asked


def experiment() -> db.Experiment:
    model = db.Sequential([db.Input((4,)), db.Dense(3, "tanh", name="hidden"), db.Dense(1)])
    return db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1))


NAMES = {
    "cpu": ("cpu", 0),
    "cpu:0": ("cpu", 0),
    "gpu": ("gpu", 0),
    "gpu:1": ("gpu", 1),
    "ascend:3": ("ascend", 3),
    "tpu:12": ("tpu", 12),
}


@pytest.mark.parametrize("text", NAMES)
def test_a_name_is_a_kind_and_a_number(text):
    kind, index = NAMES[text]
    found = parse_device(text)
    assert found == Device(kind, index)
    assert parse_device(str(found)) == found
    assert device_kind(str(found)) == kind
    assert str(found) == names_of(kind, index + 1)[-1]


WRONG = {
    "GPU": "Write 'gpu'",
    "Ascend:3": "Write 'ascend:3'",
    "cuda": "Write 'gpu'",
    "cuda:1": "Write 'gpu:1'",
    "npu:2": "Write 'ascend:2'",
    "/GPU:1": "Write 'gpu:1'",
    "/device:GPU:0": "Write 'gpu:0'",
    "/physical_device:CPU:0": "Write 'cpu:0'",
    " gpu ": "Write 'gpu'",
    "gpu:01": '"gpu:1" for the second',
    "gpu:-1": '"gpu:1" for the second',
    "gpu:x": '"gpu:1" for the second',
    "gpu:": '"gpu:1" for the second',
    "gpu,cpu": '"gpu:1" for the second',
    "gpu1:1:1": '"gpu:1" for the second',
}


@pytest.mark.parametrize("text", WRONG)
@pytest.mark.parametrize("backend", ["reference", "tensorflow", "mindspore"])
def test_other_spellings_are_refused_with_the_right_one(backend, text):
    with pytest.raises(DeviceError, match=WRONG[text]) as caught:
        db.compile(experiment(), backend=backend, device=text)
    assert caught.value.where == "device"
    assert caught.value.got == repr(text)


def test_a_device_is_a_text():
    with pytest.raises(DTypeError, match="a device is a text, got 1"):
        db.compile(experiment(), backend="reference", device=1)


@pytest.mark.parametrize(
    ("backend", "device", "words"),
    [
        ("reference", "gpu", "It knows cpu. For gpu choose backend mindspore or tensorflow"),
        ("reference", "ascend:1", "It knows cpu. For ascend choose backend mindspore"),
        ("tensorflow", "ascend", "It knows cpu, gpu. For ascend choose backend mindspore"),
        ("mindspore", "tpu", "It knows cpu, gpu, ascend"),
        ("reference", "cpu:1", "sees only 1 cpu here, got 'cpu:1'"),
    ],
)
def test_what_a_backend_never_has_is_refused(backend, device, words, monkeypatch):
    if device != "cpu:1":
        monkeypatch.setattr("dnnbridge.backend.plugins.loaded", None)  # no framework is imported
        monkeypatch.setattr("dnnbridge.backend.plugins._installed", lambda info: True)
    with pytest.raises(DeviceError) as caught:
        db.compile(experiment(), backend=backend, device=device)
    assert words in str(caught.value)


def test_the_variable_is_named_where_it_holds_the_device(monkeypatch):
    monkeypatch.setenv("DNNBRIDGE_DEVICE", "gpu")
    with pytest.raises(DeviceError, match="DNNBRIDGE_DEVICE: backend reference has no such device"):
        db.compile(experiment(), backend="reference")
    assert db.compile(experiment(), backend="reference", device="cpu").device == "cpu"


class Many(ReferenceBackend):
    """A third party's backend with three accelerators."""

    info = BackendInfo("many", devices=("cpu", "tpu"))
    limitations = (Limitation(Tanh, "no kernel", ("tpu",)),)

    def devices(self):
        return (*names_of("tpu", 3), "cpu")


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [(None, "tpu"), ("tpu", "tpu"), ("tpu:0", "tpu"), ("tpu:2", "tpu:2"), ("cpu", "cpu")],
)
def test_devices_are_counted(asked, chosen):
    assert choose_device(Many(), parse_device(asked) if asked else None) == chosen


def test_a_number_out_of_range_names_the_last():
    words = r"sees only 3 tpu here, got 'tpu:3'\. Usable here: tpu, tpu:1, tpu:2, cpu\..*'tpu:2'"
    with pytest.raises(DeviceError, match=words):
        choose_device(Many(), Device("tpu", 3))


@pytest.mark.parametrize("device", ["tpu", "tpu:2"])
def test_a_limitation_of_a_kind_concerns_all_of_it(device):
    with pytest.raises(DeclaredLimitationError, match="no kernel"):
        check_supported(Many(), experiment().program(), device)
    check_supported(Many(), experiment().program(), "cpu")


class Nothing(ReferenceBackend):
    info = BackendInfo("none", devices=("cpu", "gpu"))


REASONS = {
    "old": ({}, "sees no gpu here", ""),
    "says": ({"missing": lambda kind: f"Its {kind} is cold."}, "sees no gpu here", "Its gpu is"),
}


@pytest.mark.parametrize("name", REASONS)
def test_a_plugin_may_say_why(name, monkeypatch):
    """A plugin of the hooks before `dnnbridge_device_missing` says nothing, and works."""
    given, *words = REASONS[name]
    plugin = BackendPlugin(Nothing.info, Nothing, **given)
    monkeypatch.setattr("dnnbridge.backend.plugins.offered", lambda: {"none": []})
    monkeypatch.setattr(
        "dnnbridge.backend.plugins.missing",
        lambda name, kind: plugin.dnnbridge_device_missing(name, kind) or "",
    )
    with pytest.raises(DeviceError) as caught:
        choose_device(Nothing(), Device("gpu"))
    for word in (*words, "Usable here: cpu", "dnnbridge doctor --backend none"):
        assert word in str(caught.value)


def test_the_suite_of_a_third_party_asks_for_a_device_that_is_there():
    assert _subject("reference", "cpu:0").device == "cpu"
    with pytest.raises(DeviceError, match="sees only 1 cpu"):
        _subject("reference", "cpu:1")


def test_the_check_before_work_imports_nothing_for_the_cpu(monkeypatch):
    monkeypatch.setattr("dnnbridge.training.compiling.load_backend", None)
    check_asked("reference", "cpu")
    check_asked("reference", None)
    with pytest.raises(DeviceError, match="It knows cpu"):
        check_asked("reference", "gpu")


def test_a_file_is_not_read_for_a_device_that_is_not_there(tmp_path):
    with pytest.raises(DeviceError, match="sees only 1 cpu"):
        db.load(tmp_path / "missing.safetensors", backend="reference", device="cpu:1")


@pytest.mark.parametrize("command", ["train", "profile"])
def test_data_are_not_read_for_a_device_that_is_not_there(command, tmp_path):
    path = tmp_path / "experiment.json"
    path.write_text(experiment().to_json())
    given = [command, str(path), "--data", "no-such-data", "--backend", "reference"]
    result = CliRunner().invoke(main, [*given, "--device", "cpu:1"])
    assert result.exit_code == 1
    assert "sees only 1 cpu" in result.output
    assert "no-such-data" not in result.output


def test_compare_says_what_its_process_found(tmp_path):
    """The process tells of the device, and the parent raises the same error."""
    for name in ("experiment.json", "given.json"):
        (tmp_path / name).write_text(experiment().to_json())
    given = ["compare-worker", str(tmp_path / "given.json"), "--data", "no-such-data"]
    given += ["--backend", "reference", "--device", "cpu:1", "--folder", str(tmp_path / "own")]
    told = CliRunner().invoke(main, given)
    assert told.exit_code == 1
    script = f"print({told.stdout!r})"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        worker = _Worker("reference", process, tmp_path / "stderr.txt", lambda *event: None)
        with pytest.raises(DeviceError, match="reference sees only 1 cpu here, got 'cpu:1'"):
            worker.wait_until_ready()


def test_the_error_is_a_backend_error():
    assert issubclass(DeviceError, BackendError)

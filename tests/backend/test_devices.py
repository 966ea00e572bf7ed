"""A device is named, counted and refused in one way on every backend, before any work."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

import dnnbridge as db
from dnnbridge.backend.device import Device, device_kind, names_of, parse_device
from dnnbridge.backend.hookspecs import BackendPlugin
from dnnbridge.backend.plugins import choose_device
from dnnbridge.backend.protocol import BackendInfo, Limitation, check_supported
from dnnbridge.cli import main
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


@pytest.fixture
def tf():
    return pytest.importorskip("tensorflow")


@pytest.fixture
def ms():
    pytest.importorskip("mindspore")
    from dnnbridge.backend.plugins import load_backend

    load_backend("mindspore")
    import mindspore

    return mindspore


def tensorflow_with(tf, count, monkeypatch):
    from dnnbridge.backend.plugins import load_backend

    gpus = [f"/physical_device:GPU:{k}" for k in range(count)]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    return load_backend("tensorflow")


def test_tensorflow_counts_gpus(tf, monkeypatch):
    backend = tensorflow_with(tf, 2, monkeypatch)
    assert backend.devices() == ("gpu", "gpu:1", "cpu")
    with pytest.raises(DeviceError, match="backend tensorflow sees only 2 gpu here, got 'gpu:2'"):
        choose_device(backend, Device("gpu", 2))
    assert db.list_devices("tensorflow") == backend.devices()


TENSORFLOW = {
    "no-cuda": (False, None, "is built without CUDA"),
    "hidden": (True, "-1", "CUDA_VISIBLE_DEVICES is '-1', which hides every GPU"),
    "empty": (True, "", "CUDA_VISIBLE_DEVICES is '', which hides every GPU"),
    "no-driver": (True, None, "is built for CUDA"),
}


@pytest.mark.parametrize("name", TENSORFLOW)
def test_tensorflow_says_why_it_sees_no_gpu(name, tf, monkeypatch):
    built, hidden, words = TENSORFLOW[name]
    backend = tensorflow_with(tf, 0, monkeypatch)
    monkeypatch.setattr(tf.test, "is_built_with_cuda", lambda: built)
    monkeypatch.setattr(tf.test, "is_built_with_rocm", lambda: False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if hidden is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    with pytest.raises(DeviceError) as caught:
        choose_device(backend, Device("gpu", 1))
    assert "backend tensorflow sees no gpu here, got 'gpu:1'" in str(caught.value)
    assert words in str(caught.value)


def test_tensorflow_puts_the_arrays_on_the_device_with_the_number(tf, monkeypatch):
    from dnnbridge_tensorflow.probe import place_of

    assert [place_of(name) for name in ("cpu", "gpu", "gpu:3")] == ["/CPU:0", "/GPU:0", "/GPU:3"]
    entered = []
    real = tf.device
    monkeypatch.setattr(tf, "device", lambda name: (entered.append(name), real("/CPU:0"))[1])
    backend = tensorflow_with(tf, 2, monkeypatch)
    run = db.compile(experiment(), backend="tensorflow", device="gpu:1")
    run.fit(np.ones((4, 4)), np.ones((4, 1)), epochs=1, verbose=0)
    assert run.device == "gpu:1"
    assert backend.devices()[1] == "gpu:1"
    assert set(entered) == {"/GPU:1"}


def mindspore_with(ms, monkeypatch, **counts):
    from dnnbridge.backend.plugins import load_backend

    monkeypatch.delenv("MS_SIMULATION_LEVEL", raising=False)
    for kind in ("gpu", "ascend"):
        module, count = getattr(ms.device_context, kind), counts.get(kind)
        monkeypatch.setattr(module, "is_available", lambda count=count: count is not None)
        monkeypatch.setattr(module, "device_count", lambda count=count: count)
    return load_backend("mindspore")


def test_mindspore_counts_devices(ms, monkeypatch):
    backend = mindspore_with(ms, monkeypatch, ascend=2, gpu=1)
    assert backend.devices() == ("ascend", "ascend:1", "gpu", "cpu")
    with pytest.raises(DeviceError, match="backend mindspore sees only 2 ascend here"):
        choose_device(backend, Device("ascend", 8))


def test_a_plugin_of_mindspore_that_loads_may_find_nothing(ms, monkeypatch):
    assert mindspore_with(ms, monkeypatch, ascend=0, gpu=0).devices() == ("cpu",)
    monkeypatch.setenv("MS_SIMULATION_LEVEL", "1")
    assert db.list_devices("mindspore") == ("ascend", "cpu")


MINDSPORE = {
    "gpu": ("gpu", None, {}, "CUDA 11.1 or 11.6 with cuDNN 8"),
    "no-cann": ("ascend", None, {}, "no variable of CANN is set"),
    "old-cann": ("ascend", None, {"ASCEND_HOME_PATH": "/cann"}, "could not load it"),
    "no-npu": ("ascend", 0, {"ASCEND_OPP_PATH": "/cann/opp"}, "no NPU answers. Run: npu-smi info"),
}


@pytest.mark.parametrize("name", MINDSPORE)
def test_mindspore_says_why_it_sees_no_device(name, ms, monkeypatch):
    kind, count, environment, words = MINDSPORE[name]
    for variable in ("ASCEND_HOME_PATH", "ASCEND_OPP_PATH"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    backend = mindspore_with(ms, monkeypatch, **{kind: count})
    with pytest.raises(DeviceError) as caught:
        choose_device(backend, Device(kind))
    assert f"backend mindspore sees no {kind} here" in str(caught.value)
    assert words in str(caught.value)


@dataclasses.dataclass
class Context:
    """MindSpore's context: the device can be set once."""

    device_target: str = "CPU"
    device_id: int = 0
    frozen: bool = False

    def set_device(self, target, index):
        if self.frozen:
            raise RuntimeError("The 'mindspore.set_device' can not be modified.")
        self.device_target, self.device_id, self.frozen = target, index, True


SETTINGS = {
    "default": (("CPU", 0), ["cpu"], "cpu"),
    "other": (("CPU", 0), ["ascend:1"], "ascend:1"),
    "again": (("CPU", 0), ["gpu:1"], "gpu:1"),
    "set-by-the-user": (("Ascend", 3), [], "ascend"),
    "same-as-the-user": (("Ascend", 3), [], "ascend:3"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_mindspore_has_one_device_per_process(name, ms, monkeypatch):
    from dnnbridge_mindspore import devices

    before, first, asked = SETTINGS[name]
    context = Context(*before)
    monkeypatch.setattr(ms, "set_device", context.set_device)
    monkeypatch.setattr(ms, "get_context", lambda name: getattr(context, name))
    monkeypatch.setattr(devices, "_set_here", [])
    for device in first:
        devices.set_device(device)
    devices.set_device(asked)
    now = context.device_target, context.device_id
    context.frozen = True
    for other in ("gpu", "gpu:2", "cpu:2"):
        with pytest.raises(DeviceError, match=r"one device per process.*new process"):
            devices.set_device(other)
    assert (context.device_target, context.device_id) == now


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
    path = tmp_path / "experiment.json"
    path.write_text(experiment().to_json())
    np.savez(tmp_path / "data.npz", x=np.ones((8, 4), "f4"), y=np.ones((8, 1), "f4"))
    pytest.importorskip("tensorflow")
    given = ["compare", str(path), "--data", str(tmp_path / "data.npz"), "--device", "cpu:1"]
    result = CliRunner().invoke(main, [*given, "--backends", "reference,tensorflow"])
    assert result.exit_code == 1
    assert "Error: device: backend reference sees only 1 cpu here, got 'cpu:1'" in result.output
    assert "The end of its output" not in result.output


SECOND = """
import numpy as np, tensorflow as tf
cpu, = tf.config.list_physical_devices("CPU")
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)
import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
model = db.Sequential([db.Input((6, 6, 2)), db.Conv2D(4, 3), db.Flatten(), db.Dense(1)])
experiment = db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1))
program, made = experiment.program(), []
real = tf.Variable
tf.Variable = lambda *given: (made.append(real(*given)), made[-1])[1]
executable = load_backend("tensorflow").compile(program, "cpu:1")
executable.write({name: np.ones(a.shape, "f4") for name, a in program.state.items()})
rows = executable.keep({"x": np.ones((4, 6, 6, 2), "f4")})(np.zeros((1, 2), np.int32))
print("PLACES", *{each.device.rpartition("/")[2] for each in [*made, rows["x"]]})
"""


def test_tensorflow_uses_the_second_of_two_devices(tf):
    """Two logical CPUs take the place of two GPUs."""
    done = subprocess.run([sys.executable, "-c", SECOND], capture_output=True, text=True)
    assert not done.returncode, done.stderr[-1500:]
    assert done.stdout.partition("PLACES ")[2].split() == ["device:CPU:1"]


def test_the_error_is_a_backend_error():
    assert issubclass(DeviceError, BackendError)

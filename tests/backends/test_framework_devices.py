"""The devices that each framework counts, why it sees none, and where its arrays then are."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.backend.device import Device
from dnnbridge.backend.plugins import choose_device
from dnnbridge.errors import BackendError, DeviceError


def experiment() -> db.Experiment:
    model = db.Sequential([db.Input((4,)), db.Dense(3, "tanh"), db.Dense(1)])
    return db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1))


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


@pytest.mark.parametrize("choice", ["", "0", "1", "yes"])
@pytest.mark.parametrize("device", ["cpu", "gpu", "gpu:1"])
def test_a_gpu_computes_in_tf32_only_if_asked(device, choice, tf, monkeypatch):
    from dnnbridge_tensorflow import backend as module

    backend, asked = tensorflow_with(tf, 2, monkeypatch), []
    monkeypatch.setenv("DNNBRIDGE_TENSORFLOW_TF32", choice)
    monkeypatch.setattr(tf.config.experimental, "enable_tensor_float_32_execution", asked.append)
    monkeypatch.setattr(module, "TensorFlowExecutable", lambda *given: None)
    monkeypatch.setattr(module, "meeting_of", lambda *given: None)
    for compiling in (backend.compile, lambda *given: backend.compile_part(*given, None)):
        asked.clear()
        if device == "cpu":
            compiling(None, device)
            assert not asked
        elif choice == "yes":
            with pytest.raises(BackendError, match="DNNBRIDGE_TENSORFLOW_TF32: must be 0 or 1"):
                compiling(None, device)
        else:
            compiling(None, device)
            assert asked == [choice == "1"]


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
    monkeypatch.setattr(devices, "_keep_float32", lambda: None)  # there is no Ascend to set it on
    for device in first:
        devices.set_device(device)
    devices.set_device(asked)
    now = context.device_target, context.device_id
    context.frozen = True
    for other in ("gpu", "gpu:2", "cpu:2"):
        with pytest.raises(DeviceError, match=r"one device per process.*new process"):
            devices.set_device(other)
    assert (context.device_target, context.device_id) == now


@pytest.mark.parametrize("refused", [False, True], ids=["default", "set-by-the-user"])
def test_mindspore_keeps_float32_on_an_ascend(refused, ms, monkeypatch):
    """An Ascend computes convolutions in HF32 unless it is told not to."""
    from dnnbridge_mindspore import devices

    asked = []

    def allow(value):
        asked.append(value)
        if refused:
            raise RuntimeError("The 'conv_allow_hf32' can not be set repeatedly.")

    context = Context("Ascend", 0)
    precision = ms.device_context.ascend.op_precision
    monkeypatch.setattr(ms, "get_context", lambda name: getattr(context, name))
    monkeypatch.setattr(precision, "conv_allow_hf32", allow)
    monkeypatch.setattr(precision, "matmul_allow_hf32", allow)
    devices.set_device("ascend")
    assert asked == [False, False]


def test_the_facts_name_the_accelerator(ms, monkeypatch):
    from dnnbridge_mindspore import devices

    assert "device" not in devices.facts()
    context = Context("Ascend", 1)
    monkeypatch.setattr(ms, "get_context", lambda name: getattr(context, name))
    monkeypatch.setattr(ms.hal, "get_device_name", lambda index, target: f"{target} 910B2 {index}")
    monkeypatch.delenv("MS_SIMULATION_LEVEL", raising=False)
    assert devices.facts() == {"device": "Ascend 910B2 1"}
    monkeypatch.setenv("MS_SIMULATION_LEVEL", "1")
    assert devices.facts() == {"device": "simulated Ascend"}


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


@pytest.mark.slow
def test_tensorflow_uses_the_second_of_two_devices(tf):
    """Two logical CPUs take the place of two GPUs."""
    done = subprocess.run([sys.executable, "-c", SECOND], capture_output=True, text=True)
    assert not done.returncode, done.stderr[-1500:]
    assert done.stdout.partition("PLACES ")[2].split() == ["device:CPU:1"]

"""Backends are found, chosen and refused as documented."""

from __future__ import annotations

import inspect
import logging
import re
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

import dnnbridge as db
from dnnbridge.backend import hookspecs, plugins
from dnnbridge.backend.protocol import BackendInfo, Limitation, check_supported
from dnnbridge.cli import main
from dnnbridge.errors import (
    BackendError,
    BackendNotInstalledError,
    DeviceError,
    UnsupportedError,
)
from dnnbridge.ops import Tanh
from dnnbridge.reference.backend import ReferenceBackend


def experiment(activation="tanh") -> db.Experiment:
    model = db.Sequential([db.Input((4,)), db.Dense(3, activation, name="hidden"), db.Dense(1)])
    return db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1))


def test_available_backends_in_order_of_preference():
    names = [backend.name for backend in db.available_backends()]
    assert [n for n in names if n in ("tensorflow", "mindspore", "reference")] == [
        "tensorflow",
        "mindspore",
        "reference",
    ]
    assert all(b.installed or b.install.startswith("pip") for b in db.available_backends())


def test_environment_variable_chooses(monkeypatch):
    monkeypatch.setenv("DNNBRIDGE_BACKEND", "reference")
    monkeypatch.setenv("DNNBRIDGE_DEVICE", "cpu")
    run = db.compile(experiment())
    assert (run.backend, run.device) == ("reference", "cpu")


def test_argument_wins_over_environment(monkeypatch):
    monkeypatch.setenv("DNNBRIDGE_BACKEND", "nonsense")
    assert db.compile(experiment(), backend="reference").backend == "reference"


def test_default_is_the_first_installed_and_logged(monkeypatch, caplog):
    monkeypatch.delenv("DNNBRIDGE_BACKEND", raising=False)
    monkeypatch.setattr(plugins, "_installed", lambda info: info.name == "reference")
    with caplog.at_level(logging.INFO):
        assert db.compile(experiment()).backend == "reference"
    assert "using backend reference" in caplog.text


@pytest.mark.parametrize(("module", "word"), [("sys", False), ("not_imported_yet", True)])
def test_a_word_while_a_framework_is_loaded(module, word, monkeypatch, caplog):
    info = BackendInfo("reference", modules=(module,))
    monkeypatch.setattr(plugins, "require_backend", lambda name: info)
    with caplog.at_level(logging.INFO):
        plugins.load_backend("reference")
    assert ("loading not_imported_yet" in caplog.text) == word


def test_unknown_backend_lists_the_known():
    with pytest.raises(BackendError, match=r"'tensorfow'.*Did you mean 'tensorflow'\?"):
        db.compile(experiment(), backend="tensorfow")


def test_missing_framework_gives_the_pip_command(monkeypatch):
    monkeypatch.setattr(plugins, "_installed", lambda info: False)
    with pytest.raises(BackendNotInstalledError, match=r"pip install 'dnnbridge\[mindspore\]'"):
        db.compile(experiment(), backend="mindspore")


def test_unknown_device_lists_the_usable():
    with pytest.raises(DeviceError, match="It knows cpu"):
        db.compile(experiment(), backend="reference", device="tpu")


def test_compile_refuses_what_is_no_experiment():
    with pytest.raises(TypeError, match="compile takes an Experiment"):
        db.compile(db.Dense(3), backend="reference")


class Limited(ReferenceBackend):
    info = BackendInfo("limited")
    lowered = ReferenceBackend.lowered - {Tanh}
    limitations = (Limitation(Tanh, "no kernel", upstream="See issue 1."),)


class Incomplete(ReferenceBackend):
    info = BackendInfo("incomplete")
    lowered = ReferenceBackend.lowered - {Tanh}


@pytest.mark.parametrize(("backend", "what"), [(Limited, "no kernel"), (Incomplete, "not know")])
def test_missing_operations_are_refused_with_their_layer(backend, what):
    with pytest.raises(UnsupportedError, match=rf"hidden: .*{what}"):
        check_supported(backend(), experiment().program(), "cpu")
    check_supported(backend(), experiment("relu").program(), "cpu")


def test_every_hook_is_documented():
    hooks = [f for name, f in vars(hookspecs).items() if name.startswith("dnnbridge_")]
    assert len(hooks) == 5
    assert all(inspect.getdoc(hook) for hook in hooks)


IMPORT = """
import sys, time
start = time.perf_counter()
import dnnbridge
seconds = time.perf_counter() - start
{use}
found = [m for m in ("tensorflow", "mindspore", "keras", "torch") if m in sys.modules]
print(seconds, found)
"""

USES = {
    "import": "",
    "spec": "dnnbridge.Dense(3, 'relu'); dnnbridge.exponential_decay_lr(0.1, 0.9, 6, 2, 1)",
    "backends": "dnnbridge.available_backends()",
    "everything": "[getattr(dnnbridge, name) for name in dnnbridge.__all__]",
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_no_framework_is_imported(use):
    printed = subprocess.run(
        [sys.executable, "-c", IMPORT.format(use=use)], capture_output=True, text=True, check=True
    ).stdout
    assert printed.split(" ", 1)[1].strip() == "[]"


def test_public_names_exist_and_are_sorted():
    assert list(db.__all__) == sorted(db.__all__)
    assert all(hasattr(db, name) for name in db.__all__)


HOSTILE = {
    "no_module": ("no_such_module", "", "ModuleNotFoundError: No module named 'no_such_module'"),
    "raises": ("p_raises", "1 / 0", "ZeroDivisionError"),
    "exits": ("p_exits", "raise SystemExit(3)", "SystemExit: 3"),
    "cancelled": (
        "p_cancel",
        "import asyncio\nraise asyncio.CancelledError('x')",
        "CancelledError",
    ),
    "no_object": ("p_object:NOTHING", "", "AttributeError"),
    "hook_raises": (
        "p_hook",
        "def dnnbridge_backend_info(name):\n    raise KeyError(name)",
        "KeyError",
    ),
    "hook_exits": (
        "p_quits",
        "def dnnbridge_backend_info(name):\n    raise SystemExit",
        "SystemExit",
    ),
    "no_info": ("p_text", "def dnnbridge_backend_info(name):\n    return 'fine'", "'fine'"),
    "other_name": (
        "p_name",
        "def dnnbridge_backend_info(name):\n    return BackendInfo('tensorflow', priority=99)",
        "describes a backend other than",
    ),
    "priority": (
        "p_prio",
        "def dnnbridge_backend_info(name):\n    return BackendInfo(name, priority='high')",
        "priority='high'",
    ),
    "modules": (
        "p_modules",
        "def dnnbridge_backend_info(name):\n    return BackendInfo(name, modules='numpy')",
        "modules='numpy'",
    ),
    "kernels": (
        "p_kernels",
        "def dnnbridge_backend_info(name):\n    return BackendInfo(name, kernels=('p.conv',))",
        "kernels=('p.conv',)",
    ),
    "unknown_hook": ("p_unknown", "def dnnbridge_backends(name):\n    return 3", "unknown hook"),
}
"""Name: (entry point, code of its module, what the error says). Functions are marked as hooks."""

HEADER = "from dnnbridge.backend import BackendInfo, hookimpl\n"


def offer(folder, monkeypatch, plugins_of):
    """Install distributions, each a dictionary from names to (value, code), for this test."""
    for distribution, points in plugins_of.items():
        info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        meta = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
        (info / "METADATA").write_text(meta)
        lines = [f"{name} = {value}" for name, (value, *_) in points.items()]
        (info / "entry_points.txt").write_text("\n".join(["[dnnbridge.backends]", *lines]))
        for value, code, *_ in points.values():
            if value != "no_such_module":
                marked = code.replace("def dnnbridge", "@hookimpl\ndef dnnbridge")
                (folder / f"{value.partition(':')[0]}.py").write_text(HEADER + marked)
    monkeypatch.syspath_prepend(str(folder))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_broken_plugin_harms_only_itself(name, tmp_path, monkeypatch, caplog):
    monkeypatch.delenv("DNNBRIDGE_BACKEND", raising=False)
    usual = [(b.name, b.installed) for b in db.available_backends()]
    default = plugins.default_backend()
    offer(tmp_path, monkeypatch, {"bad-package": {name: HOSTILE[name]}})
    *rest, last = db.available_backends()
    assert [(b.name, b.installed) for b in rest] == usual
    assert (last.name, last.installed) == (name, False)
    assert HOSTILE[name][2] in last.error
    assert "Fix or uninstall bad-package" in last.error
    assert plugins.default_backend() == default
    assert f"backend {name} ignored" in caplog.text
    assert db.compile(experiment(), backend="reference").backend == "reference"
    with pytest.raises(BackendError, match=f"entry point {name} = "):
        db.compile(experiment(), backend=name)
    printed = CliRunner().invoke(main, ["backends"])
    assert printed.exit_code == 0
    assert f"{name} " in printed.output
    assert "broken" in printed.output


BACKENDS = {
    "raises": ("raise ImportError('libcuda.so')", "ImportError: libcuda.so"),
    "exits": ("raise SystemExit", "SystemExit"),
    "nothing": ("return None", "returned no backend"),
    "nonsense": ("return 'fine'", "'fine' without info, lowered"),
}


@pytest.mark.parametrize("name", BACKENDS)
def test_a_backend_that_cannot_be_loaded_is_a_backend_error(name, tmp_path, monkeypatch):
    code, words = BACKENDS[name]
    info = f"def dnnbridge_backend_info(name):\n    return BackendInfo(name, priority=-{len(name)})"
    code = f"{info}\n\ndef dnnbridge_backend(name):\n    {code}"
    offer(tmp_path, monkeypatch, {"bad-package": {f"load_{name}": (f"l_{name}", code)}})
    with pytest.raises(BackendError, match=re.escape(words)):
        db.compile(experiment(), backend=f"load_{name}")


def test_what_a_plugin_prints_goes_to_stderr(tmp_path, monkeypatch, capsys):
    code = "print('hello')\n\ndef dnnbridge_backend_info(name):\n    print('here')"
    offer(tmp_path, monkeypatch, {"loud-package": {"loud": ("p_loud", code)}})
    assert "loud" in [b.name for b in db.available_backends()]
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "hello" in printed.err


def test_a_name_of_dnnbridge_cannot_be_taken(tmp_path, monkeypatch):
    code = "def dnnbridge_backend_info(name):\n    return BackendInfo(name, priority=10**6)"
    before = db.available_backends()
    offer(tmp_path, monkeypatch, {"thief": {"reference": ("p_thief", code)}})
    assert db.available_backends() == before
    assert db.compile(experiment(), backend="reference").predict(np.zeros((1, 4))).shape == (1, 1)


def test_a_name_of_two_packages_serves_neither(tmp_path, monkeypatch):
    code = "def dnnbridge_backend_info(name):\n    return BackendInfo(name, priority=10**6)"
    pair = {f"package-{k}": {"twice": (f"p_twice{k}", code)} for k in "ab"}
    offer(tmp_path, monkeypatch, pair)
    (found,) = [b for b in db.available_backends() if b.name == "twice"]
    assert "package-a (p_twicea) and package-b (p_twiceb)" in found.error
    assert plugins.default_backend() != "twice"
    with pytest.raises(BackendError, match="Uninstall all but one"):
        db.compile(experiment(), backend="twice")


def test_a_plugin_that_cannot_read_an_optimizer_is_an_error_of_its_own(tmp_path, monkeypatch):
    class Live:
        __module__ = "somewhere.optimizers"

    info = "def dnnbridge_backend_info(name):\n    return BackendInfo(name, natives=('somewhere',))"
    hook = "def dnnbridge_from_native(optimizer, options):\n    "
    bad = {"a_bad": ("p_bad_reader", f"{info}\n\n{hook}raise KeyError('lr')")}
    good = {
        "b_good": ("p_good_reader", f"{info}\n\n{hook}import dnnbridge as db; return db.SGD(0.5)")
    }
    offer(tmp_path, monkeypatch, {"bad-reader": bad})
    with pytest.raises(BackendError, match=r"backend a_bad: cannot read .* KeyError: 'lr'"):
        db.optimizers.from_native(Live())
    offer(tmp_path, monkeypatch, {"good-reader": good})
    assert db.optimizers.from_native(Live()) == db.SGD(0.5)

"""Backends are found, chosen and refused as documented."""

from __future__ import annotations

import inspect
import logging
import subprocess
import sys

import pytest

import dnnbridge as db
from dnnbridge import hookspecs, plugins
from dnnbridge.backend import BackendInfo, Limitation, check_supported
from dnnbridge.errors import BackendError, BackendNotInstalledError, UnsupportedError
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
    assert "backend reference chosen" in caplog.text


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
    with pytest.raises(BackendError, match="Usable here: cpu"):
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
    assert len(hooks) == 4
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


def test_a_broken_plugin_is_named_and_does_not_hide_the_others(monkeypatch, caplog):
    from importlib.metadata import EntryPoint

    points = plugins._entry_points()
    points["broken"] = EntryPoint("broken", "no_such_module", hookspecs.GROUP)
    monkeypatch.setattr(plugins, "_entry_points", lambda: points)
    assert "reference" in [backend.name for backend in db.available_backends()]
    assert "no_such_module" in caplog.text
    with pytest.raises(BackendError, match="plugin cannot be loaded"):
        db.compile(experiment(), backend="broken")

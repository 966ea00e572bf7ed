"""The processes of the frameworks: what they find, and how they may end."""

from __future__ import annotations

import os
import signal

import pytest

from dnnbridge.installation import probe as child
from dnnbridge.installation import probing
from dnnbridge.installation.hardware import Accelerators
from dnnbridge.installation.probe_findings import probe_findings
from dnnbridge.installation.probing import Probe, probe, probe_all, read_probe
from dnnbridge.testing.tolerances import TRAJECTORY

INSTALL = {"tensorflow": "pip install 'dnnbridge[tensorflow]'"}
AGAIN = "pip install --force-reinstall 'dnnbridge[tensorflow]'"
NONE = Accelerators()


def test_the_reference_agrees_with_itself():
    found = probe("reference")
    assert found == Probe("reference", ("cpu",), {}, {}, "cpu", 0.0, "", found.stage)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "mindspore"])
def test_a_framework_agrees_with_the_reference(backend):
    pytest.importorskip(backend)
    for found in probe_all(backend):
        assert not found.failure
        assert found.device in found.seen
        assert found.distance is not None
        assert found.distance <= TRAJECTORY


BROKEN = {
    "raises": ("raise ImportError('libcudart.so.11.0: cannot open')", "libcudart.so.11.0: cannot"),
    "exits": ("import os; os._exit(3)", "it ended with exit status 3"),
    "crashes": ("import os; os.abort()", "it crashed with SIGABRT"),
    "segfault": (
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "it crashed with SIGSEGV",
    ),
    "leaves": ("raise SystemExit('no licence')", "SystemExit: no licence"),
}


def put_in_place_of_tensorflow(code, folder, monkeypatch):
    (folder / "tensorflow").mkdir()
    (folder / "tensorflow" / "__init__.py").write_text(code)
    before = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *([before] if before else [])]))


@pytest.mark.parametrize("name", BROKEN)
def test_a_framework_that_cannot_be_imported_is_a_finding(name, tmp_path, monkeypatch):
    code, words = BROKEN[name]
    put_in_place_of_tensorflow(code, tmp_path, monkeypatch)
    found = probe("tensorflow")
    assert found.stage == "import"
    assert words in found.failure
    (finding,) = probe_findings([found], NONE, INSTALL, "")
    assert (finding.level, finding.about, finding.fix) == ("problem", "tensorflow", AGAIN)
    assert words in finding.what


def test_a_framework_that_hangs_is_ended_with_its_children(tmp_path, monkeypatch):
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)"
    )
    put_in_place_of_tensorflow(code, tmp_path, monkeypatch)
    found = probe("tensorflow", time_limit=4)
    assert found.failure == "it did not end within 4 seconds"
    assert found.late
    (finding,) = probe_findings([found], NONE, INSTALL, "")
    assert finding.fix == "dnnbridge doctor --backend tensorflow --time-limit 900"
    if (tmp_path / "pid").exists() and (state := stat_of((tmp_path / "pid").read_text())):
        assert state == "Z"  # ended, and not yet reaped by the init process


def test_a_process_that_leaves_the_group_does_not_hold_up(tmp_path, monkeypatch):
    """It keeps the pipes of the framework that has started it."""
    pid = tmp_path / "pid"
    code = (
        "import subprocess, sys, time\n"
        "sleeping = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        "child = subprocess.Popen(sleeping, start_new_session=True)\n"
        f"open({str(pid)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)"
    )
    put_in_place_of_tensorflow(code, tmp_path, monkeypatch)
    monkeypatch.setattr(probing, "GRACE", 0.5)
    assert probe("tensorflow", time_limit=4).late
    if pid.exists():
        os.kill(int(pid.read_text()), signal.SIGKILL)


def stat_of(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def test_every_device_has_a_process_of_its_own():
    started = []

    def start(backend, device, limit):
        started.append((backend, device, limit))
        return Probe(backend, ("gpu", "gpu:1", "cpu"), device=device or "gpu", distance=0.0)

    assert [each.device for each in probe_all("mine", 5.0, start)] == ["gpu", "gpu:1", "cpu"]
    assert started == [("mine", None, 5.0), ("mine", "gpu:1", 5.0), ("mine", "cpu", 5.0)]


@pytest.mark.parametrize(
    ("out", "ended", "failure"),
    [
        ("", "", "it ended without a result"),
        ("noise\n\x1e{\"distance\": 0.5}\n", "it ended with exit status 1", ""),
        ("\x1e{\"stage\": \"import\"}\n\x1e{\"sta", "it crashed", "it crashed"),
        ("\x1e{\"failed\": \"OSError: x\"}\n", "", "OSError: x"),
    ],
    ids=["nothing", "crash-at-exit", "cut", "failed"],
)  # fmt: skip
def test_what_a_process_wrote_is_read(out, ended, failure):
    assert read_probe("mine", out, ended).failure == failure


def trained(distance, **more):
    return Probe("tensorflow", ("cpu",), device="cpu", distance=distance, **more)


CPU = {"gpu": "No driver. Run: pip install 'tensorflow[and-cuda]'"}
FINDINGS = {
    "good": (trained(1e-7), NONE, "", ("good", "")),
    "rounded": (
        trained(1e-3),
        NONE,
        "",
        ("warning", "dnnbridge conformance --quick --backend tensorflow --device cpu"),
    ),
    "wrong": (
        trained(0.5),
        NONE,
        "",
        ("problem", "dnnbridge conformance --quick --backend tensorflow --device cpu"),
    ),
    "infinite": (
        trained(float("inf")),
        NONE,
        "",
        ("problem", "dnnbridge conformance --quick --backend tensorflow --device cpu"),
    ),
    "step-fails": (
        trained(None, failure="RuntimeError: out of memory", stage="a training step on cpu"),
        NONE,
        "",
        ("problem", "python -m dnnbridge.installation.probe tensorflow cpu"),
    ),
    "unseen": (
        trained(0.0, missing=CPU),
        Accelerators(gpus=("a GPU",)),
        "",
        ("warning", "pip install 'tensorflow[and-cuda]'"),
    ),
    "asked": (
        trained(0.0, missing=CPU),
        NONE,
        "gpu",
        ("problem", "pip install 'tensorflow[and-cuda]'"),
    ),
    "asked-and-there": (
        trained(0.0, missing=CPU),
        Accelerators(gpus=("a GPU",)),
        "gpu",
        ("problem", "pip install 'tensorflow[and-cuda]'"),
    ),
    "asked-for-another": (trained(0.0), NONE, "cpu:1", ("problem", "unset DNNBRIDGE_DEVICE")),
    "not-there": (trained(0.0, missing=CPU), NONE, "cpu", ("good", "")),
}


@pytest.mark.parametrize("name", FINDINGS)
def test_findings(name):
    found, machine, asked, expected = FINDINGS[name]
    made = list(probe_findings([found], machine, INSTALL, asked))
    levels = ("problem", "warning", "good")
    worst = min(made, key=lambda each: levels.index(each.level))
    assert (worst.level, worst.fix) == expected
    assert len(made) == 1 + bool(found.missing and (asked == "gpu" or machine.gpus)) + (
        asked == "cpu:1"
    )


def test_a_wrong_step_is_seen(monkeypatch):
    from dnnbridge.backend.plugins import load_backend

    backend = load_backend("reference")
    assert child.distance(backend, "cpu") == 0.0
    real = child.trained
    shifts = iter([1.0 + 1e-3, 1.0])
    monkeypatch.setattr(
        child,
        "trained",
        lambda *given: (by := next(shifts), {n: a * by for n, a in real(*given).items()})[1],
    )
    assert child.distance(backend, "cpu") == pytest.approx(1e-3, rel=1e-6)

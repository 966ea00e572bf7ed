"""`check_installation` and `dnnbridge doctor`: the verdict, the text, JSON, the exit status."""

from __future__ import annotations

import json
import sys

import pytest
from click.testing import CliRunner

import dnnbridge as db
from dnnbridge.backend.plugins import AvailableBackend
from dnnbridge.cli import main
from dnnbridge.errors import BackendError
from dnnbridge.installation import checking, hardware
from dnnbridge.installation.finding import Finding
from dnnbridge.installation.installation import Installation, sorted_findings
from dnnbridge.installation.installed import Installed
from dnnbridge.installation.probing import Probe
from dnnbridge.installation.versions import read_requirement

REFERENCE = AvailableBackend("reference", True, "", "", ("cpu",))
TENSORFLOW = AvailableBackend("tensorflow", True, "2.21.0", "pip install tf", ("cpu", "gpu"))
MISSING = AvailableBackend("mindspore", False, "", "pip install ms", ("cpu",))
BROKEN = AvailableBackend("bad", False, "", "", (), error="its plugin raises.")
HERE = Installed(
    {"python": "3.12.0", "dnnbridge": "0.1.0", "numpy": "1.26.4"},
    {"dnnbridge": (read_requirement("numpy>=1.26"),)},
)
TRIED = Probe("tensorflow", ("cpu",), {}, {"oneDNN": "on"}, "cpu", 1e-7)


def made(backends, probes=(), environment=None, **more):
    nothing = hardware.Accelerators()
    return checking.assembled(HERE, nothing, environment or {}, backends, probes, **more)


@pytest.fixture(autouse=True)
def writable(monkeypatch):
    monkeypatch.setattr(checking, "is_writable", lambda folder: True)


def test_usable():
    found = made([TENSORFLOW, REFERENCE], [[TRIED]])
    assert found.ok
    assert found.verdict == "Usable: tensorflow on cpu."
    first, *rest = str(found).splitlines()
    assert first == found.verdict
    assert any("tensorflow sees" in line and "cpu; oneDNN on" in line for line in rest)
    assert any(line.split()[:3] == ["numpy", "1.26.4", ">=1.26"] for line in rest)


@pytest.mark.parametrize(
    ("backends", "named", "finding"),
    [
        ([REFERENCE, MISSING], False, ("warning", "frameworks")),
        ([MISSING], True, ("problem", "mindspore")),
        ([TENSORFLOW, BROKEN], False, ("problem", "bad")),
    ],
    ids=["no-framework", "named", "broken"],
)
def test_backends_that_cannot_be_used(backends, named, finding):
    found = made(backends, named=named)
    assert [(each.level, each.about) for each in found.findings] == [finding]
    assert found.ok == (finding[0] != "problem")


def test_a_cache_that_cannot_be_written(monkeypatch):
    monkeypatch.setattr(checking, "is_writable", lambda folder: False)
    (finding,) = made([TENSORFLOW]).findings
    assert (finding.level, finding.about) == ("warning", "cache")
    assert finding.fix


@pytest.mark.parametrize(
    ("environment", "concerned"),
    [
        ({"DNNBRIDGE_DEVICE": "gpu"}, ["tensorflow"]),
        ({"DNNBRIDGE_DEVICE": "gpu", "DNNBRIDGE_BACKEND": "tensorflow"}, ["tensorflow"]),
        ({"DNNBRIDGE_DEVICE": "cpu"}, []),
        ({}, []),
    ],
)
def test_the_device_of_the_environment_concerns_the_backend_it_is_for(environment, concerned):
    other = Probe("mindspore", ("cpu",), {"gpu": "No."}, {}, "cpu", 0.0)
    tried = Probe("tensorflow", ("cpu",), {"gpu": "No."}, {}, "cpu", 0.0)
    found = made([TENSORFLOW, MISSING], [[tried], [other]], environment)
    assert [each.about for each in found.of("problem")] == concerned


def test_findings_are_sorted_and_said_once():
    rows = [Finding("good", "a", "x"), Finding("problem", "b", "y"), Finding("good", "a", "x")]
    assert [each.about for each in sorted_findings(rows)] == ["b", "a"]


FIXED = Installation(
    (
        Finding("problem", "numpy", "it is <new>", "pip install 'numpy<2'"),
        Finding("warning", "keras", "it is old"),
    ),
    {"Python": "3.12.0"},
    (),
)


def test_the_text_is_aligned_and_has_the_command():
    assert FIXED.verdict == "1 thing must be fixed; 1 warning."
    assert str(FIXED).splitlines()[2:5] == [
        "  problem  numpy  it is <new>",
        "                  fix: pip install 'numpy<2'",
        "  warning  keras  it is old",
    ]
    assert max(map(len, str(FIXED).splitlines())) < 60


def test_json_and_notebook():
    told = json.loads(FIXED.to_json())
    assert told == FIXED.to_dict() | {"packages": [], "probes": [], "findings": told["findings"]}
    assert told["ok"] is False
    assert told["findings"][0]["fix"] == "pip install 'numpy<2'"
    page = FIXED._repr_html_()
    assert "it is &lt;new&gt;" in page
    assert "<new>" not in page


def doctor(*args, found=FIXED, monkeypatch=None):
    asked = []

    def check(backend, **settings):
        asked.append((backend, settings))
        return found

    monkeypatch.setattr(checking, "check_installation", check)
    return CliRunner().invoke(main, list(args)), asked


@pytest.mark.parametrize("args", [["doctor"], ["backends", "--check"]], ids=" ".join)
@pytest.mark.parametrize("ok", [True, False])
def test_the_exit_status_says_whether_something_must_be_fixed(args, ok, monkeypatch):
    found = Installation((), {"Python": "3"}, ()) if ok else FIXED
    result, asked = doctor(*args, found=found, monkeypatch=monkeypatch)
    assert result.exit_code == int(not ok)
    assert result.output.splitlines()[0] == found.verdict
    assert asked == [(None, {"run": True, "time_limit": 180})]


def test_options(monkeypatch):
    args = ["doctor", "--json", "--backend", "reference", "--no-run", "--time-limit", "9"]
    result, asked = doctor(*args, monkeypatch=monkeypatch)
    assert json.loads(result.output)["ok"] is False
    assert asked == [("reference", {"run": False, "time_limit": 9.0})]


def test_here_with_the_reference_alone():
    found = db.check_installation("reference")
    assert [each.backend for each in found.probes] == ["reference"]
    assert found.probes[0].distance == 0.0
    assert found.machine["processor"]


def test_without_processes_nothing_is_started_or_imported(monkeypatch):
    monkeypatch.setattr(checking, "probe_all", None)
    monkeypatch.setitem(sys.modules, "subprocess.Popen", None)
    before = set(sys.modules)
    found = db.check_installation(run=False)
    assert found.probes == ()
    assert not {"tensorflow", "mindspore", "keras"} & (set(sys.modules) - before)


def test_an_unknown_backend_is_an_error():
    with pytest.raises(BackendError, match=r"'tensorflw'.*Did you mean 'tensorflow'"):
        db.check_installation("tensorflw", run=False)

"""Environment variables: misspelt names and bad values."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from dnnbridge.installation.variables import VARIABLES, is_writable, variable_findings

ROOT = Path(__file__).parents[2]

BAD = {
    "DNNBRIDGE_ATTEMPT": ("second", "whole number"),
    "DNNBRIDGE_COORDINATOR": ("first", "host:port"),
    "DNNBRIDGE_MEETING_SECONDS": ("long", "whole number"),
    "DNNBRIDGE_RANK": ("-1", "whole number"),
    "DNNBRIDGE_WORKERS": ("two", "host:port"),
    "DNNBRIDGE_BACKEND": ("tensorflw", "Did you mean 'tensorflow'?"),
    "DNNBRIDGE_DATA": ("/no/such/folder", "does not exist"),
    "DNNBRIDGE_DETERMINISTIC": ("yes", "one of 0, 1"),
    "DNNBRIDGE_DEVICE": ("GPU", "Write 'gpu'"),
    "DNNBRIDGE_KERNELS": ("mindspore.conv", "pairs"),
    "DNNBRIDGE_MINDSPORE_CACHE": ("/proc/nowhere", "cannot be written"),
    "DNNBRIDGE_RANDOM_PROGRAMS": ("many", "whole number"),
    "DNNBRIDGE_RESIDENT_MIB": ("1.5", "whole number"),
    "DNNBRIDGE_TENSORFLOW_TF32": ("yes", "one of 0, 1"),
    "DNNBRIDGE_TENSORFLOW_XLA": ("2", "one of 0, 1, all"),
}
GOOD = {
    "DNNBRIDGE_ATTEMPT": "1",
    "DNNBRIDGE_COORDINATOR": "127.0.0.1:8118",
    "DNNBRIDGE_MEETING_SECONDS": "60",
    "DNNBRIDGE_RANK": "0",
    "DNNBRIDGE_WORKERS": "a:1234,b:1234",
    "DNNBRIDGE_BACKEND": "reference",
    "DNNBRIDGE_DATA": "/",
    "DNNBRIDGE_DETERMINISTIC": "1",
    "DNNBRIDGE_DEVICE": "gpu:1",
    "DNNBRIDGE_KERNELS": "mindspore.conv=native,tensorflow.conv=slices",
    "DNNBRIDGE_MINDSPORE_CACHE": "/tmp",
    "DNNBRIDGE_RANDOM_PROGRAMS": "3",
    "DNNBRIDGE_RESIDENT_MIB": "0",
    "DNNBRIDGE_TENSORFLOW_TF32": "1",
    "DNNBRIDGE_TENSORFLOW_XLA": "all",
}


@pytest.mark.parametrize("name", VARIABLES)
def test_a_bad_value_is_a_problem(name):
    value, words = BAD[name]
    (finding,) = variable_findings({name: value})
    assert (finding.level, finding.about, finding.fix) == ("problem", name, f"unset {name}")
    assert words in finding.what


def test_unknown_kernels_are_a_problem():
    (finding,) = variable_findings({"DNNBRIDGE_KERNELS": "tensorflow.con=slices"})
    assert finding.level == "problem"
    assert "Did you mean 'tensorflow.conv'?" in finding.what


@pytest.mark.parametrize("name", VARIABLES)
def test_a_good_or_empty_value_is_none(name):
    assert list(variable_findings({name: GOOD[name]})) == []
    assert list(variable_findings({name: ""})) == []


@pytest.mark.parametrize(
    ("name", "level", "fix"),
    [
        (
            "DNNBRIDGE_DEVISE",
            "warning",
            "unset DNNBRIDGE_DEVISE; export DNNBRIDGE_DEVICE='a b'",
        ),
        ("DNNBRIDGE_MY_OWN_PLUGIN_SETTING", "note", "unset DNNBRIDGE_MY_OWN_PLUGIN_SETTING"),
    ],
)
def test_a_name_that_nothing_reads(name, level, fix):
    (finding,) = variable_findings({name: "a b", "PATH": "x"})
    assert (finding.level, finding.fix) == (level, fix)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"DNNBRIDGE_DEVICE": "ascend", "DNNBRIDGE_BACKEND": "tensorflow"}, "It knows cpu, gpu"),
        ({"DNNBRIDGE_DEVICE": "tpu"}, "no backend has a device 'tpu'"),
    ],
)
def test_the_device_must_fit_the_backend(environment, words):
    (finding,) = variable_findings(environment)
    assert words in finding.what


def test_every_variable_in_the_source_is_in_the_table():
    files = [*(ROOT / "dnnbridge").rglob("*.py"), *(ROOT / "backends").rglob("*.py")]
    files += [*(ROOT / "tests").rglob("*.py")]
    written = {
        name
        for path in files
        for name in re.findall(r"\bDNNBRIDGE_[A-Z0-9_]+\b", path.read_text("utf-8"))
    }
    invented = {"DNNBRIDGE_", "DNNBRIDGE_DEVISE", "DNNBRIDGE_MY_OWN_PLUGIN_SETTING"}
    assert written - invented == set(VARIABLES)


def test_a_folder_that_can_be_made_is_writable(tmp_path):
    assert is_writable(tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    assert not is_writable(tmp_path / "file")
    assert not is_writable(tmp_path / "file" / "b")
    if os.geteuid():
        tmp_path.chmod(0o500)
        assert not is_writable(tmp_path / "a")

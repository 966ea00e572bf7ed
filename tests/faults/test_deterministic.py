"""Two runs in new processes have the same bits, in each framework's deterministic mode."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dnnbridge.backend import choosing
from dnnbridge.backend.kernel_variable import VARIABLE
from dnnbridge.base.deterministic import DETERMINISTIC, is_deterministic
from dnnbridge.errors import BackendError

BITS = Path(__file__).with_name("bits.py")
NETS = ("mlp", "lenet", "lstm", "attention")
THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")

DIFFER = {("tensorflow", "lenet")}
"""Backends and nets whose bits depend on the number of threads: a framework's kernel adds so."""

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def bits(backend, nets, runs=1, threads=0):
    """Return the digests of the runs of each net."""
    environment = os.environ | {DETERMINISTIC: "1"}
    environment |= dict.fromkeys(THREADS, str(threads)) if threads else {}
    command = [sys.executable, str(BITS), backend, ",".join(nets), str(runs)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@forks
@pytest.mark.parametrize(
    ("backend", "nets"),
    [
        ("tensorflow", ["lenet"]),
        *(
            pytest.param(name, NETS, marks=pytest.mark.slow)
            for name in ("reference", "tensorflow", "mindspore")
        ),
    ],
)
def test_two_runs_have_the_same_bits(backend, nets):
    if backend != "reference":
        pytest.importorskip(backend)
    for net, found in bits(backend, nets, runs=2).items():
        assert len(set(found)) == 1, net


@forks
@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "mindspore"])
def test_which_bits_do_not_depend_on_the_number_of_threads(backend):
    pytest.importorskip(backend)
    if (os.cpu_count() or 1) < 2:
        pytest.skip("needs two processors")
    one, two = (bits(backend, NETS, threads=threads) for threads in (1, 2))
    differ = {(backend, net) for net in NETS if one[net] != two[net]}
    assert differ == {pair for pair in DIFFER if pair[0] == backend}


def test_no_kernel_is_chosen_by_its_speed(monkeypatch, tmp_path):
    monkeypatch.setattr(choosing.platformdirs, "user_cache_dir", lambda name: str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv(DETERMINISTIC, "1")

    def never():
        raise AssertionError("a kernel was timed")

    candidates = {"first": never, "second": never}
    assert choosing.choose("test.bits: a form", "1", candidates) == "first"
    monkeypatch.setenv(VARIABLE, "test.bits=second")
    assert choosing.choose("test.bits: a form", "1", candidates) == "second"
    choosing.forget()


def test_a_wrong_value_is_an_error(monkeypatch):
    monkeypatch.setenv(DETERMINISTIC, "yes")
    with pytest.raises(BackendError, match="DNNBRIDGE_DETERMINISTIC: must be 0 or 1, got 'yes'"):
        is_deterministic()

"""Files of traces: killed writers, damage, limits, hostile records."""

import itertools
import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from doctor.tracing_nets import mlp, record
from hypothesis import given, settings
from hypothesis import strategies as st

from dnnbridge.errors import CheckpointError
from dnnbridge.formats.traces import records
from dnnbridge.formats.traces.reading import read_trace
from dnnbridge.formats.traces.records import MAGIC, encoded

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    path = tmp_path_factory.mktemp("file") / "a.trace"
    return record(path, mlp(), epochs=3, tensors=("last",)).read_bytes()


def test_a_file_that_ends_anywhere_is_read_up_to_there(content, tmp_path):
    path, counts = tmp_path / "part.trace", []
    whole = len(read_written(path, content).steps)
    for end in range(0, len(content), 97):
        path.write_bytes(content[:end])
        try:
            found = read_trace(path)
        except CheckpointError:
            assert end < 3000  # not even the first record is there
            continue
        counts.append(len(found.steps))
        assert found.whole == (end == len(content)) or end in ends(content)
    assert counts == sorted(counts)
    assert counts[-1] in (whole, whole - 1)


def read_written(path, content):
    path.write_bytes(content)
    return read_trace(path)


def ends(content):
    """Return where records end."""
    place, found = len(MAGIC), set()
    while place < len(content):
        length = struct.unpack_from("<Q", content, place + 4)[0]
        place += 16 + length + 4
        found.add(place)
    return found


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_every_flipped_bit_is_found(content, tmp_path_factory, data):
    place = data.draw(st.integers(0, len(content) - 1))
    bit = data.draw(st.integers(0, 7))
    damaged = bytearray(content)
    damaged[place] ^= 1 << bit
    path = tmp_path_factory.mktemp("flip") / "a.trace"
    path.write_bytes(bytes(damaged))
    with pytest.raises(CheckpointError) as caught:
        read_trace(path)
    if place >= len(MAGIC):
        begin = max(end for end in {len(MAGIC), *ends(content)} if end <= place)
        assert f"at byte {begin}" in str(caught.value)
    assert str(path) in str(caught.value)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_noise_after_the_beginning_is_refused(tmp_path_factory, noise):
    path = tmp_path_factory.mktemp("noise") / "a.trace"
    path.write_bytes(MAGIC + noise)
    with pytest.raises(CheckpointError):
        read_trace(path)


HEAD = {"format": "dnnbridge trace 1", "every": 1, "every_epochs": 1}
SPOT = {"places": [["state", "a", [2]]]}


def _step(**more):
    return {"step": 1, "batch": None, **more}


HOSTILE = {
    "another format": [("HEAD", HEAD | {"format": "x"}, b"")],
    "no distance": [("HEAD", HEAD | {"every": 0}, b"")],
    "two heads": [("HEAD", HEAD, b""), ("HEAD", HEAD, b"")],
    "no head": [("SPOT", SPOT, b"")],
    "an unknown stage": [("HEAD", HEAD, b""), ("SPOT", {"places": [["x", "a", [2]]]}, b"")],
    "a place twice": [("HEAD", HEAD, b""), ("SPOT", {"places": SPOT["places"] * 2}, b"")],
    "too few numbers": [("HEAD", HEAD, b""), ("SPOT", SPOT, b""), ("STEP", _step(), b"\0" * 8)],
    "a step below 0": [("HEAD", HEAD, b""), ("STEP", _step(step=-1), b"")],
    "a step twice": [("HEAD", HEAD, b""), ("STEP", _step(), b""), ("STEP", _step(), b"")],
    "a batch that is none": [("HEAD", HEAD, b""), ("STEP", _step(batch=[1]), b"")],
    "objects": [
        ("HEAD", HEAD, b""),
        ("STEP", _step(), b""),
        ("TENS", {"step": 1, "stage": "s", "where": "a", "dtype": "object", "shape": [1]}, b""),
    ],
    "a huge tensor": [
        ("HEAD", HEAD, b""),
        ("STEP", _step(), b""),
        ("TENS", {"step": 1, "stage": "s", "where": "a", "dtype": "int8", "shape": [2**50]}, b""),
    ],
    "scales that fall": [
        ("HEAD", HEAD, b""),
        ("NEAR", {"step": 1, "scales": [2.0, 1.0], "free": []}, b""),
    ],
    "logs of texts": [
        ("HEAD", HEAD, b""),
        ("EPOC", {"epoch": 0, "step": 1, "logs": {"loss": "a"}}, b""),
    ],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_records_that_the_format_does_not_know_are_refused(name, tmp_path):
    path = tmp_path / "a.trace"
    path.write_bytes(MAGIC + b"".join(encoded(*each) for each in HOSTILE[name]))
    with pytest.raises(CheckpointError, match=r"record [0-9]+, at byte"):
        read_trace(path)


def _framed(payload, length=None, kind=b"HEAD"):
    beginning = struct.pack("<4sQ", kind, len(payload) if length is None else length)
    return beginning + struct.pack("<I", zlib.crc32(beginning)) + payload


@pytest.mark.parametrize(
    "record_",
    [
        _framed(b"", 2**40),
        _framed(struct.pack("<I", 2**31) + b"{}"),
        _framed(struct.pack("<I", 100_000) + b"[" * 100_000),
        _framed(struct.pack("<I", 2) + b"[]"),
        _framed(struct.pack("<I", 2) + b"\xff\xfe"),
        _framed(struct.pack("<I", 2) + b"{}", kind=b"\xff\xff\xff\xff"),
    ],
    ids=["length", "text", "depth", "list", "bytes", "kind"],
)
def test_hostile_frames_take_no_memory(record_, tmp_path):
    path = tmp_path / "a.trace"
    check = struct.pack("<I", zlib.crc32(record_[16:]))
    path.write_bytes(MAGIC + record_ + check)
    with pytest.raises(CheckpointError, match="at byte"):
        read_trace(path)


def test_a_file_that_is_too_large_is_refused(content, tmp_path):
    path = tmp_path / "a.trace"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="max_bytes"):
        read_trace(path, max_bytes=len(content) - 1)
    (tmp_path / "b.trace").write_bytes(b"something else, which is long enough")
    with pytest.raises(CheckpointError, match="is no trace"):
        read_trace(tmp_path / "b.trace")


def test_texts_and_records_have_limits(content, tmp_path, monkeypatch):
    path = tmp_path / "a.trace"
    path.write_bytes(content)
    monkeypatch.setattr(records, "TEXT", 100)
    with pytest.raises(CheckpointError, match="a text of"):
        read_trace(path)


KILLED = """
import sys
sys.path.insert(0, {tests!r})
from doctor.tracing_nets import mlp, record
print("begun", flush=True)
record({path!r}, mlp(), epochs=100000, every=1, max_bytes=60000)
"""


def test_a_killed_training_leaves_a_file_that_can_be_read(tmp_path):
    path = tmp_path / "a.trace"
    code = KILLED.format(tests=str(ROOT / "tests"), path=str(path))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and not (path.exists() and path.stat().st_size > 30_000):
            time.sleep(0.05)
        time.sleep(0.3)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    found = read_trace(path)
    assert found.size <= 60_000
    steps = sorted(found.steps)
    assert len(steps) > 1
    assert {b - a for a, b in itertools.pairwise(steps)} == {found.every}
    assert all(np.isfinite(step.rows).all() for step in found.steps.values())
    assert json.dumps(found.head)

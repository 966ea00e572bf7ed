"""Where the MindSpore backend writes what MindSpore reads, also where the usual place is no use."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import platformdirs
import pytest

pytest.importorskip("mindspore")
from dnnbridge_mindspore import folders, modules

SOURCE = "VALUE = 1\n"


@pytest.fixture(autouse=True)
def anew(monkeypatch):
    folders.writable.cache_clear()
    yield
    folders.writable.cache_clear()


def cache_at(monkeypatch, folder):
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: str(folder))


def test_source_is_kept_in_the_users_cache(tmp_path, monkeypatch, caplog):
    cache_at(monkeypatch, tmp_path)
    path = modules._written("a.py", SOURCE)
    assert path == tmp_path / "mindspore" / "a.py"
    written = path.stat().st_mtime_ns
    assert modules._written("a.py", SOURCE) == path
    assert path.stat().st_mtime_ns == written
    assert modules._written("a.py", SOURCE * 2).read_text() == SOURCE * 2
    assert not caplog.records


@pytest.mark.parametrize("place", ["a file", "/dev/null/home", "/proc/cache", "~/.cache"])
def test_where_nothing_can_be_written_a_private_folder_serves(place, tmp_path, monkeypatch, caplog):
    (tmp_path / "a file").touch()
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / place if place == "a file" else place
    cache_at(monkeypatch, folder)
    first, second = (modules._written(f"{name}.py", SOURCE) for name in "ab")
    assert first.read_text() == second.read_text() == SOURCE
    assert first.parent == second.parent
    assert first.parent.stat().st_mode & 0o077 == 0
    assert len(caplog.messages) == 1
    assert str(folder) in caplog.messages[0]
    assert "Set XDG_CACHE_HOME to a folder" in caplog.messages[0]
    assert os.listdir(tmp_path) == ["a file"]


SCRIPT = """
import json, tempfile, pathlib
import dnnbridge as db
model = db.Sequential([db.Input((4,)), db.Dense(3)])
run = db.compile(db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1)), "mindspore")
run.fit([[0.0] * 4] * 8, [[1.0] * 3] * 8, 4, 1)
print(json.dumps(run.history.step_losses))
"""


def test_a_process_without_home_cache_or_working_folder(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    env = os.environ | {"HOME": "/dev/null/home", "TMPDIR": str(temporary)}
    env["DNNBRIDGE_MINDSPORE_CACHE"] = "/proc/cache"
    env.pop("XDG_CACHE_HOME", None)
    command = [sys.executable, str(script)]
    done = subprocess.run(command, env=env, cwd="/proc", capture_output=True, text=True, check=True)
    assert len(json.loads(done.stdout.splitlines()[-1])) == 2
    assert "cannot write to /proc/cache" in done.stderr
    assert "Traceback" not in done.stderr
    assert os.listdir(temporary) == []

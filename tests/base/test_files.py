"""Files are written completely or not at all; mode and place of a replaced file are kept."""

from __future__ import annotations

import os
import stat

import pytest

from dnnbridge.base.files import SUFFIX, _part, write_atomically
from dnnbridge.errors import DataError

posix = pytest.mark.skipif(os.name == "nt", reason="modes, links and locks of POSIX")


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "run.safetensors"
    made.write_bytes(b"old")
    return made


def test_a_failed_write_leaves_the_old_file(path, monkeypatch):
    def fail(descriptor):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_the_mode_stays(path, mode):
    path.chmod(mode)
    write_atomically(path, b"new")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", mode)


@posix
@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_new_file_has_the_mode_of_any_new_file(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_atomically(tmp_path / "new", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o666 & ~mask


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_the_owner_stays(path):
    os.chown(path, 1234, 4321)
    path.chmod(0o640)
    write_atomically(path, b"new")
    found = path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (1234, 4321, 0o640)


@posix
@pytest.mark.parametrize("kind", ["relative", "absolute", "of a link", "dangling"])
def test_a_link_stays_and_its_file_is_replaced(tmp_path, kind):
    (tmp_path / "store").mkdir()
    real, link = tmp_path / "store" / "real", tmp_path / "link"
    if kind != "dangling":
        real.write_bytes(b"old")
    link.symlink_to("store/real" if kind == "relative" else real)
    if kind == "of a link":
        link = tmp_path / "second"
        link.symlink_to("link")
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert list(real.parent.iterdir()) == [real]


def test_folders_are_made_where_that_is_asked_for(tmp_path):
    deep = tmp_path / "a" / "b" / "file"
    with pytest.raises(DataError, match=r"folder does not exist, got .*b\. Create it first"):
        write_atomically(deep, b"new")
    assert not list(tmp_path.iterdir())
    write_atomically(deep, b"new", make_folders=True)
    assert deep.read_bytes() == b"new"


def test_a_folder_is_not_replaced(tmp_path):
    with pytest.raises(DataError, match="is a folder"):
        write_atomically(tmp_path, b"new")


def left(path, name):
    file = path.with_name(name)
    file.write_bytes(b"half")
    return file


def test_what_killed_writers_left_is_removed(path):
    ours = left(path, f".{path.name}.0123abcd{SUFFIX}")
    others = [
        left(path, f".other.safetensors.0123abcd{SUFFIX}"),
        left(path, f".{path.name}.metadata"),
        left(path, f".{path.name}.0123abcd{SUFFIX}.copy"),
        left(path, f".{path.name}.more.0123abcd{SUFFIX}"),
    ]
    write_atomically(path, b"new")
    assert not ours.exists()
    assert all(file.exists() for file in others)
    assert path.read_bytes() == b"new"


@posix
def test_what_another_writer_is_writing_is_left(path):
    with _part(path, 0o666) as file:
        write_atomically(path, b"second")
        file.write(b"first")
        file.flush()
        os.replace(file.name, path)
    assert path.read_bytes() == b"first"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127])
def test_a_name_as_long_as_may_be(tmp_path, name):
    write_atomically(tmp_path / name, b"old")
    write_atomically(tmp_path / name, b"new")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"new"]


def test_the_folder_is_synced_after_the_file_is_in_place(path, monkeypatch):
    seen, sync = [], os.fsync

    def watched(descriptor):
        seen.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), path.read_bytes()))
        sync(descriptor)

    monkeypatch.setattr("os.fsync", watched)
    write_atomically(path, b"new")
    assert seen == ([(False, b"old"), (True, b"new")] if os.name != "nt" else [(False, b"old")])

"""Make the system fail: a full disk at any byte, and errors of its calls."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable

import pytest

from dnnbridge.base import files

Inject = Callable[[pytest.MonkeyPatch], None]


class FullDisk(io.FileIO):
    """A file on a disk with room for so many bytes, as the system does it: it takes what fits."""

    room, number = 0, errno.ENOSPC

    def write(self, data):
        fits = self.room - self.tell()
        if fits <= 0:
            raise OSError(self.number, os.strerror(self.number))
        return super().write(bytes(data)[:fits])


def full(room: int, number: int = errno.ENOSPC) -> Inject:
    """Return what makes every new file end after so many bytes."""
    kind = type("Disk", (FullDisk,), {"room": room, "number": number})

    def opened(path, mode="r", *more, **given):
        if not mode.startswith("x"):
            return open(path, mode, *more, **given)
        return io.BufferedWriter(kind(path, mode.replace("b", ""), opener=given["opener"]))

    return lambda patch: patch.setattr(files, "open", opened, raising=False)


def failing(call: str, number: int) -> Inject:
    """Return what makes a function of `os` raise an error of the system."""

    def raises(*given, **named):
        raise OSError(number, os.strerror(number))

    return lambda patch: patch.setattr(os, call, raises)


def unopened(number: int) -> Inject:
    """Return what makes the opening of new files fail."""

    def opened(path, mode="r", *more, **given):
        if mode.startswith("x"):
            raise OSError(number, os.strerror(number), path)
        return open(path, mode, *more, **given)

    return lambda patch: patch.setattr(files, "open", opened, raising=False)


SYSTEM: dict[str, tuple[Inject, int, str]] = {
    "disk full at the first byte": (full(0), errno.ENOSPC, "Make room on the disk"),
    "disk full in the header": (full(300), errno.ENOSPC, "Make room on the disk"),
    "disk full at the last bytes": (full(9000), errno.ENOSPC, "Make room on the disk"),
    "quota": (full(300, errno.EDQUOT), errno.EDQUOT, "ask for a larger quota"),
    "largest file": (full(300, errno.EFBIG), errno.EFBIG, "ulimit -f"),
    "sync fails": (failing("fsync", errno.EIO), errno.EIO, "The disk or the network folder fails"),
    "sync finds the disk full": (failing("fsync", errno.ENOSPC), errno.ENOSPC, "Make room"),
    "rename fails": (failing("replace", errno.EIO), errno.EIO, "The disk or the network folder"),
    "rename not allowed": (failing("replace", errno.EACCES), errno.EACCES, "change its rights"),
    "read-only disk": (unopened(errno.EROFS), errno.EROFS, "The disk is read-only"),
    "read-only folder": (unopened(errno.EACCES), errno.EACCES, "change its rights"),
    "too many open files": (unopened(errno.EMFILE), errno.EMFILE, "ulimit -n"),
    "network folder has gone": (unopened(errno.ESTALE), errno.ESTALE, "mount it again"),
}
"""Faults of the system while a file is written: what makes them, the error, what the hint says."""

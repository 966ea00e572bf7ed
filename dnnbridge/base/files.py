"""Write files so that a crash leaves the old one."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from dnnbridge.errors import DataError

try:
    import fcntl
except ImportError:  # Windows: a file that is open cannot be removed there
    fcntl = None  # type: ignore[assignment]

SUFFIX = ".dnnbridge-part"
"""How names of files end that are being written."""

LONGEST = 200
"""Bytes of a target's name from which on a digest stands for it in the temporary name."""

UNSYNCED = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}
"""What a system answers that cannot sync a folder."""


def write_atomically(path: Path, content: bytes, *, make_folders: bool = False) -> None:
    """Write a file under a temporary name beside it, then put it in place.

    Mode and owner of a file that is replaced stay; through a symbolic link the file that it points
    to is replaced. What killed writers of the same file have left is removed.

    Args:
        path: file to write.
        content: all of it.
        make_folders: make the folder and those above it where they are missing.

    Raises:
        DataError: the folder does not exist, or the path is not that of a file.
    """
    target = writable_target(path, make_folders=make_folders)
    _remove_abandoned(target)
    before = target.stat() if target.exists() else None
    with _part(target, 0o666 if before is None else before.st_mode & 0o600) as file:
        file.write(content)
        file.flush()
        if before is not None:
            _take_after(file.fileno(), before)
        os.fsync(file.fileno())
        if fcntl is None:
            file.close()  # Windows renames no file that is open
        os.replace(file.name, target)
    _sync(target.parent)


def writable_target(path: Path, *, make_folders: bool = False) -> Path:
    """Return the file that is written for a path, its symbolic links followed, or raise."""
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise DataError("is a symbolic link that leads in a circle", where=str(path))
    if target.exists() and not target.is_file():
        what = "a folder" if target.is_dir() else "no regular file"
        raise DataError(f"is {what}", where=str(path), hint="Give the name of a file.")
    if make_folders:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise DataError(
                "a folder in its path is a file", where=str(path), got=str(error.filename)
            ) from None
    if not target.parent.is_dir():
        raise DataError(
            "the folder does not exist",
            where=str(path),
            got=str(target.parent),
            hint="Make it first, or look for a slip in its name.",
        )
    return target


@contextmanager
def _part(target: Path, mode: int) -> Iterator[IO[bytes]]:
    """Open a new file beside the target, locked while it is written; after an error it is gone."""
    while True:
        path = f"{_beginning(target)}{secrets.token_hex(4)}{SUFFIX}"
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            if not _locked(file.fileno()) or not os.path.exists(path):
                continue  # another writer took it for abandoned, before it was locked
            try:
                yield file
            except BaseException:
                file.close()
                Path(path).unlink(missing_ok=True)
                raise
            return


def _beginning(target: Path) -> str:
    """Return how the paths of a target's temporary files begin."""
    name = target.name
    if len(os.fsencode(name)) > LONGEST:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()
    return str(target.with_name(f".{name}."))


def _locked(descriptor: int) -> bool:
    """Lock an open file, if no other process or thread has; where there are no locks do nothing."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network folders
        return True
    return True


def _remove_abandoned(target: Path) -> None:
    """Remove the temporary files of a target that nobody writes: the system unlocks a dead one's.

    Where a file cannot be locked it is left: whether its writer lives is not known.
    """
    begins = re.escape(os.path.basename(_beginning(target)))
    known = re.compile(f"{begins}[0-9a-f]{{8}}{re.escape(SUFFIX)}")
    try:
        names = os.listdir(target.parent)
    except PermissionError:  # a folder that may be written to, but not read
        return
    for name in names:
        if known.fullmatch(name):
            with suppress(OSError):
                _remove_unlocked(target.with_name(name))


def _remove_unlocked(path: Path) -> None:
    if fcntl is None:
        path.unlink()
        return
    with path.open("rb") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()


def _take_after(descriptor: int, before: os.stat_result) -> None:
    """Give an open file the owner and mode of the one that it replaces, as far as is allowed."""
    if hasattr(os, "fchown"):
        for ids in ((-1, before.st_gid), (before.st_uid, -1)):
            with suppress(PermissionError):
                os.fchown(descriptor, *ids)
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, stat.S_IMODE(before.st_mode))


def _sync(folder: Path) -> None:
    """Write the names of a folder to the disk, so that a file that was put in place stays there."""
    if fcntl is None:
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in UNSYNCED:
            raise
    finally:
        os.close(descriptor)

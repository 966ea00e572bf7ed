"""Write files atomically: a crash leaves the old file."""

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
from typing import IO, Any

from dnnbridge.base.file_errors import told
from dnnbridge.base.messages import shorten
from dnnbridge.errors import DataError, DnnbridgeError

try:
    import fcntl
except ImportError:  # Windows, which cannot remove an open file
    fcntl = None  # type: ignore[assignment]

SUFFIX = ".dnnbridge-part"
"""Suffix of files that are being written."""

LONGEST = 200
"""A target name with more bytes than this is replaced by a digest in the temporary name."""

KEPT = "The file that was there before is as it was."

UNSYNCED = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}
"""Error numbers of systems that cannot sync a folder."""


def as_path(given: Any, where: str, error: type[DnnbridgeError] = DataError) -> Path:
    """Return the path that an argument gives, or raise an error of this class.

    Example:
        >>> as_path("a.csv", "filename").suffix
        '.csv'
        >>> as_path(3, "filename")
        Traceback (most recent call last):
        dnnbridge.errors.DataError: filename: must be the path of a file or folder, got 3. ...
    """
    if wrong := wrong_path(given):
        what, hint = wrong
        raise error(what, where=where, got=shorten(given), hint=hint)
    return Path(given)


def wrong_path(given: Any) -> tuple[str, str] | None:
    """Return what is wrong with an argument as a path, and what to do; None if nothing is."""
    what = "must be the path of a file or folder"
    if not isinstance(given, (str, os.PathLike)) or not isinstance(os.fspath(given), str):
        return what, "Give a str or a Path."
    if not os.fspath(given):
        return what, "Give a name that is not empty."
    if "\0" in os.fspath(given):
        return f"{what}; the name holds a zero character", r"No system allows it: leave out the \0."
    return None


def check_is_file(path: Path, error: type[DnnbridgeError]) -> None:
    """Raise an error of this class unless the path is that of a file."""
    if not is_file(path):
        raise error(f"the file {_problem(path)}", where=str(path), hint="Give the path of a file.")


def _problem(path: Path) -> str:
    """Say why a path is not that of a file."""
    try:
        if path.is_dir():
            return "is a folder"
        if path.exists():
            return "is a device, a pipe or a socket"
    except OSError:  # a name that is too long
        return "does not exist"
    return "is a link to nothing" if path.is_symlink() else "does not exist"


def is_file(path: Path) -> bool:
    """Return whether the path is that of a file; a name that no file can have is none."""
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


def write_atomically(path: Path, content: bytes, *, make_folders: bool = False) -> None:
    """Write a file as `atomic_file` does.

    Args:
        path: file to write.
        content: the whole content of the file.
        make_folders: create missing folders of the path.

    Raises:
        DataError: the folder does not exist, or the path is not a file.
        FileError: the system cannot write it: the disk is full, or the folder is read-only.
    """
    with atomic_file(path, make_folders=make_folders) as file:
        file.write(content)


@contextmanager
def atomic_file(path: Path, *, make_folders: bool = False) -> Iterator[IO[bytes]]:
    """Open a file under a temporary name in the same folder, which is renamed after the block.

    The new file gets the mode and owner of the old one. For a symbolic link, the file that it
    points to is replaced. Temporary files that killed writers of the same file left are removed.
    After an error in the block, the old file stays.

    Args:
        path: file to write.
        make_folders: create missing folders of the path.

    Raises:
        DataError: the folder does not exist, or the path is not a file.
        FileError: the system cannot write it; also for an OSError in the block.
    """
    target = writable_target(path, make_folders=make_folders)
    with told("cannot be written", path, KEPT if target.exists() else ""):
        _remove_abandoned(target)
        before = target.stat() if target.exists() else None
        with _part(target, 0o666 if before is None else before.st_mode & 0o600) as file:
            yield file
            file.flush()
            if before is not None:
                _take_after(file.fileno(), before)
            os.fsync(file.fileno())
            if fcntl is None:
                file.close()  # Windows cannot rename an open file
            os.replace(file.name, target)
    with told("is written, but its folder cannot be synced to the disk", path):
        _sync(target.parent)


def make_folder(path: Path) -> None:
    """Make a folder and those above it where they are missing.

    Raises:
        FileError: the system cannot make it, or something in the path is a file.
    """
    with told("the folder cannot be made", path):
        path.mkdir(parents=True, exist_ok=True)


def writable_target(path: Path, *, make_folders: bool = False, regular: bool = True) -> Path:
    """Return the file to write for a path, following symbolic links, or raise.

    Args:
        path: file to write.
        make_folders: create missing folders of the path.
        regular: refuse devices and pipes too, which cannot be replaced.
    """
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise DataError("is a symbolic link that leads back to itself", where=str(path))
    if target.is_dir() or (regular and target.exists() and not target.is_file()):
        what = "a folder" if target.is_dir() else "not a regular file"
        raise DataError(f"is {what}", where=str(path), hint="Give the name of a file.")
    if make_folders:
        _make_parent(target, path)
    if not target.parent.is_dir():
        raise DataError(
            "the folder does not exist",
            where=str(path),
            got=str(target.parent),
            hint="Create it first, or check its name for a typing error.",
        )
    return target


def _make_parent(target: Path, path: Path) -> None:
    with told("its folder cannot be made", path):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise DataError(
                "a folder in the path is a file", where=str(path), got=str(error.filename)
            ) from None


@contextmanager
def _part(target: Path, mode: int) -> Iterator[IO[bytes]]:
    """Open a new file beside the target, locked while it is written, removed after an error."""
    while True:
        path = f"{_beginning(target)}{secrets.token_hex(4)}{SUFFIX}"
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            if not _locked(file.fileno()) or not os.path.exists(path):
                continue  # another writer removed it as abandoned before it was locked
            try:
                yield file
            except BaseException:
                with suppress(OSError):  # what is still in the buffer has no room either
                    file.close()
                Path(path).unlink(missing_ok=True)
                raise
            return


def _beginning(target: Path) -> str:
    """Return the common beginning of the paths of a target's temporary files."""
    name = target.name
    if len(os.fsencode(name)) > LONGEST:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()
    return str(target.with_name(f".{name}."))


def _locked(descriptor: int) -> bool:
    """Lock an open file unless another process or thread has; without lock support do nothing."""
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
    """Remove a target's abandoned temporary files: the system unlocks files of dead processes.

    A file that cannot be locked stays, because its writer may still be alive.
    """
    begins = re.escape(os.path.basename(_beginning(target)))
    known = re.compile(f"{begins}[0-9a-f]{{8}}{re.escape(SUFFIX)}")
    try:
        names = os.listdir(target.parent)
    except PermissionError:  # a folder that is writable but not readable
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
    """Give an open file the owner and mode of the file that it replaces, as far as allowed."""
    if hasattr(os, "fchown"):
        for ids in ((-1, before.st_gid), (before.st_uid, -1)):
            with suppress(PermissionError):
                os.fchown(descriptor, *ids)
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, stat.S_IMODE(before.st_mode))


def _sync(folder: Path) -> None:
    """Sync a folder to the disk, so that a renamed file stays in place after a crash."""
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

"""`told`: errors of the system about a file, in the words of dnnbridge."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dnnbridge.errors import DnnbridgeError, FileError

ROOM = "Make room on the disk, or write to another one."
RIGHTS = "Write to a folder where you may, or change its rights."

HINTS = {
    errno.ENOSPC: ROOM,
    getattr(errno, "EDQUOT", errno.ENOSPC): "Delete files of yours, or ask for a larger quota.",
    errno.EFBIG: "The system allows no file of this size: see ulimit -f, or use another disk.",
    errno.EROFS: "The disk is read-only: write to another one.",
    errno.EACCES: RIGHTS,
    errno.EPERM: RIGHTS,
    errno.EIO: "The disk or the network folder fails: check it, and write to another one.",
    getattr(errno, "ESTALE", errno.EIO): "The network folder has gone: mount it again.",
    errno.EMFILE: "The process has too many open files: close some, or raise ulimit -n.",
    errno.ENAMETOOLONG: "Give a shorter name.",
    errno.ENOENT: "The folder has gone, or the system lets nobody make files there: give another.",
    errno.ENOTDIR: "A folder in the path is a file: give another path.",
    errno.EEXIST: "A folder in the path is a file: give another path.",
}
"""What to do, by the number of the system's error."""


@contextmanager
def told(what: str, path: Path, kept: str = "") -> Iterator[None]:
    """Raise errors of the system inside the context as a `FileError`, whose cause they are.

    Args:
        what: what cannot be done.
        path: with which file or folder.
        kept: a sentence about what is still there.

    Example:
        >>> with told("cannot be written", Path("a.txt")):
        ...     raise OSError(errno.ENOSPC, "No space left on device")
        Traceback (most recent call last):
            ...
        dnnbridge.errors.FileError: a.txt: cannot be written, got No space left on device. \
Make room on the disk, or write to another one.
    """
    try:
        yield
    except DnnbridgeError:
        raise
    except OSError as error:
        hint = " ".join(filter(None, [HINTS.get(error.errno or 0, ""), kept]))
        said = error.strerror or str(error)
        raise FileError(what, where=str(path), got=said, hint=hint, errno=error.errno) from error

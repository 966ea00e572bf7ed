"""Where files are written that MindSpore reads: the user's folder, or a temporary one."""

from __future__ import annotations

import atexit
import logging
import shutil
import tempfile
from functools import cache
from pathlib import Path

from dnnbridge.backend import BackendError

log = logging.getLogger(__name__)


@cache
def writable(folder: Path, variable: str) -> Path:
    """Return a folder, made if need be; where nothing can be written, a private temporary one.

    Args:
        folder: the one that is wanted.
        variable: the environment variable that names another.
    """
    try:
        if not folder.is_absolute():  # a user without a home: "~" is no folder
            raise FileNotFoundError("no home folder")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        made = _temporary()
        log.warning(
            "cannot write to %s (%s); a temporary folder serves until the process ends: %s. "
            "Set %s to a folder that you may write to",
            folder,
            error.strerror or error,
            made,
            variable,
        )
        return made


@cache
def _temporary() -> Path:
    try:
        made = tempfile.mkdtemp(prefix="dnnbridge-mindspore-")
    except OSError as error:
        raise BackendError(
            "MindSpore reads its programs from files, and none can be written",
            where="folder for temporary files",
            got=str(error),
            hint="Set TMPDIR to a folder that you may write to.",
        ) from error
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)

"""Folders for the files that MindSpore reads: the user's folder, or a temporary one."""

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
    """Return a folder, created if missing, or a private temporary one if it is not writable.

    Args:
        folder: the preferred folder.
        variable: environment variable with which the user can name another folder.
    """
    try:
        if not folder.is_absolute():  # the user has no home, so "~" was not expanded
            raise FileNotFoundError("no home folder")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        made = _temporary()
        log.warning(
            "cannot write to %s (%s); using a temporary folder until the process ends: %s. "
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
            "cannot write the files from which MindSpore reads its programs",
            where="folder for temporary files",
            got=str(error),
            hint="Set TMPDIR to a folder that you may write to.",
        ) from error
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)

"""Check arguments before training starts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from dnnbridge.backend.plugins import available_backends, require_backend
from dnnbridge.base.files import writable_target
from dnnbridge.errors import BackendError, DataError
from dnnbridge.training.compiling import BACKEND_VARIABLE


def check_backends(names: Sequence[str], device: str | None = None) -> None:
    """Raise unless all backends are known and installed; imports no framework.

    Without names, check the backend that the environment variable or dnnbridge would choose.
    """
    for name in names or [_chosen()]:
        known = require_backend(name)
        if device is not None and device not in known.devices:
            raise BackendError(
                f"backend {name} has no such device",
                where="device",
                got=repr(device),
                hint=f"Its devices are {', '.join(known.devices)}.",
            )


def _chosen() -> str:
    first = (backend.name for backend in available_backends() if backend.installed)
    return os.environ.get(BACKEND_VARIABLE) or next(first)


def check_writable(option: str, path: Path | None) -> None:
    """Raise if an output file could not be written at the end."""
    if path is None:
        return
    try:
        folder = writable_target(path).parent
    except DataError as error:
        raise DataError(
            f"cannot be written: {error.what}",
            where=option,
            got=str(path),
            hint=error.hint,
        ) from None
    if not os.access(folder, os.W_OK):
        raise DataError(
            "cannot be written",
            where=option,
            got=str(path),
            hint="Give the name of a file in a folder that you may write to.",
        )

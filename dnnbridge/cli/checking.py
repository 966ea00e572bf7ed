"""Check arguments before training starts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from dnnbridge.backend.plugins import require_backend, require_device
from dnnbridge.base.files import writable_target
from dnnbridge.errors import DataError
from dnnbridge.training.compiling import asked_device, chosen_name


def check_backends(names: Sequence[str], device: str | None = None) -> None:
    """Raise unless all backends are known and installed, and can have the device.

    This imports no framework. Without names, check the backend that the environment variable or
    dnnbridge would choose, and without a device that of the environment variable.
    """
    asked, where = asked_device(device)
    for name in names or [chosen_name(None)]:
        known = require_backend(name)
        if asked is not None:
            require_device(known, asked, where)


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

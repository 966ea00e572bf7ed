"""`is_deterministic`: whether the user asks for the same bits in every run."""

from __future__ import annotations

import os

from dnnbridge.errors import BackendError

DETERMINISTIC = "DNNBRIDGE_DETERMINISTIC"
"""Environment variable: 1 lets two runs of the same experiment have the same bits.

Frameworks take it when they are loaded, so it is set before the first `compile`. No kernel is then
chosen by its speed, and a framework uses its deterministic kernels, which may be slower.
"""


def is_deterministic() -> bool:
    """Return whether the variable asks for the same bits in every run.

    Example:
        >>> os.environ[DETERMINISTIC] = "1"
        >>> is_deterministic()
        True
        >>> del os.environ[DETERMINISTIC]
    """
    given = os.environ.get(DETERMINISTIC, "").strip()
    if given not in ("", "0", "1"):
        raise BackendError("must be 0 or 1", where=DETERMINISTIC, got=repr(given))
    return given == "1"

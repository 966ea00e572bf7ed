"""The argument `run` of the functions of this package."""

from __future__ import annotations

from dnnbridge.base.messages import what
from dnnbridge.errors import DTypeError
from dnnbridge.training.run import Run


def check_run(given: object, where: str) -> None:
    """Raise unless a run is given.

    Args:
        given: the argument.
        where: the function that takes it.

    Raises:
        DTypeError: it is something else.
    """
    if not isinstance(given, Run):
        hint = "Write db.compile(experiment)."
        raise DTypeError("takes a run", where=where, got=what(given), hint=hint)

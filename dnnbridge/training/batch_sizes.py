"""The number of examples per step, which a model with carried states fixes."""

from __future__ import annotations

from typing import Any

from dnnbridge.errors import DataError
from dnnbridge.training.checking.data import check_positive


def batch_size_of(given: Any, usual: int, fixed: int | None) -> int:
    """Return the batch size of a call, or raise.

    Args:
        given: by the caller; None leaves the choice to the model.
        usual: the batch size of a model that leaves it open.
        fixed: that of the model's `Input(batch_size=…)`, if it has one.

    Example:
        >>> batch_size_of(None, usual=32, fixed=None), batch_size_of(None, usual=32, fixed=4)
        (32, 4)
    """
    if given is None:
        return fixed or usual
    size = check_positive(given, "batch_size")
    if fixed not in (None, size):
        raise DataError(
            f"must be {fixed}, the batch_size of the model's Input",
            where="batch_size",
            got=str(size),
            hint="Leave it out, or make the model with another Input(batch_size=…).",
        )
    return size


def check_rows(count: int, fixed: int | None, where: str) -> None:
    """Raise if the examples do not fill batches of the size that the model fixes."""
    over = count % fixed if fixed else 0
    if over:
        raise DataError(
            f"must have a multiple of {fixed} rows, the batch_size of the model's Input",
            where=where,
            got=f"{count} rows",
            hint=f"Leave out the last {over}, or make the model with another Input(batch_size=…). "
            "A short batch has no rows for some of the states that are carried.",
        )

"""`read_as_data`: whatever a damaged file makes a reader raise is an error of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dnnbridge.errors import CheckpointError, ConversionError, DnnbridgeError


@contextmanager
def read_as_data(
    what: str, where: str, hint: str, error: type[DnnbridgeError] = ConversionError
) -> Iterator[None]:
    """Turn what packages and rules raise within the block into an error of a file.

    An error of a file that does not say what to do gets the hint.

    Args:
        what: that the file cannot be read, and as what.
        where: the file.
        hint: what to do.
        error: the class of the error.

    Example:
        >>> with read_as_data("the file is damaged", "a.npz", "Write it again."):
        ...     {}["x"]
        Traceback (most recent call last):
        dnnbridge.errors.ConversionError: a.npz: the file is damaged, got KeyError: 'x'. ...
    """
    try:
        yield
    except (ConversionError, CheckpointError) as raised:
        if raised.hint:
            raise
        again = type(raised)(raised.what, where=raised.where, got=raised.got, hint=hint)
        raise again from raised.__cause__
    except (DnnbridgeError, Warning):
        raise
    except Exception as raised:
        got = f"{type(raised).__name__}: {raised}"[:300]
        raise error(what, where=where, got=got, hint=hint) from raised

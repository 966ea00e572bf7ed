"""What optimizers around another optimizer share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from dnnbridge.errors import SpecError

T = TypeVar("T")


def joined(inner: Mapping[str, T], own: Mapping[str, T]) -> dict[str, T]:
    """Return the slots or scalars of the inner optimizer and those of the wrapper.

    Raises:
        SpecError: both have one of a name.
    """
    if shared := sorted(inner.keys() & own.keys()):
        raise SpecError(
            "the optimizer inside has slots or scalars of the same names",
            where="optimizer",
            got=", ".join(shared),
            hint="Two wrappers of one kind cannot be around each other.",
        )
    return {**inner, **own}

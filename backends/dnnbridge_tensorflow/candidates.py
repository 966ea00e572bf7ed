"""Forms of one operation, and which of them is taken on a device.

What a kernel can do depends on the machine: without oneDNN TensorFlow's CPU has no derivative of a
dilated convolution. So an operation has several forms, each of which says what it can; one that
depends on the machine is tried there on a small example (`probe.py`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from dnnbridge.errors import BackendError
from dnnbridge.graph import Op

Tensor = Any
Again = Callable[..., Tensor]
"""Lowers an operation that a form has made of another: (op, *tensors) -> tensor."""

Shapes = Sequence[tuple[int | None, ...]]

VARIABLE = "DNNBRIDGE_TENSORFLOW_WINDOWS"
"""Environment variable: names of forms, separated by commas, that are taken before all others
wherever they can; each gives the same numbers."""


class Candidate(NamedTuple):
    """A form of an operation.

    Attributes:
        name: how `VARIABLE` and reports call it.
        can: whether it computes this operation for inputs of these shapes, on this device, its
            derivatives included: (op, shapes, device).
        lower: (op, tensors, again) -> tensor.
    """

    name: str
    can: Callable[[Any, Shapes, str], bool]
    lower: Callable[[Any, Sequence[Tensor], Again], Tensor]


Table = Mapping[type[Op], Sequence[Candidate]]
"""Forms of each operation, the fastest first."""


def choose(table: Table, op: Op, shapes: Shapes, device: str) -> Candidate:
    """Return the first form that can, one that the user asks for before all others."""
    wanted = asked_for(table)
    ranks = {name: k for k, name in enumerate(wanted)}
    forms = sorted(table[type(op)], key=lambda each: ranks.get(each.name, len(wanted)))
    return next(each for each in forms if each.can(op, shapes, device))


def asked_for(table: Table) -> list[str]:
    """Return the names in `VARIABLE`.

    Raises:
        BackendError: there is no such form.
    """
    wanted = [name.strip() for name in os.environ.get(VARIABLE, "").split(",") if name.strip()]
    known = {each.name for forms in table.values() for each in forms}
    for name in wanted:
        if name not in known:
            raise BackendError(
                "is no form of a convolution or pool",
                where=VARIABLE,
                got=repr(name),
                hint=f"There are {', '.join(sorted(known))}.",
            )
    return wanted


def lowering(table: Table, device: str) -> Again:
    """Return what lowers every operation of a table on a device."""

    def lower(op: Op, *tensors: Tensor) -> Tensor:
        shapes = [tuple(each.shape) for each in tensors]
        return choose(table, op, shapes, device).lower(op, tensors, lower)

    return lower

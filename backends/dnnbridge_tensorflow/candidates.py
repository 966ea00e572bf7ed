"""Several forms of one operation, and the choice of one for a device.

The abilities of a kernel depend on the machine: without oneDNN, TensorFlow's CPU has no derivative
of a dilated convolution. So an operation has several forms, and each states what it can compute. A
form that depends on the machine is tested there on a small example (`probe.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from dnnbridge.backend import Op, asked_for

Tensor = Any
Again = Callable[..., Tensor]
"""Lowers an operation into which a form has rewritten another: (op, *tensors) -> tensor."""

Shapes = Sequence[tuple[int | None, ...]]


class Candidate(NamedTuple):
    """A form of an operation.

    Attributes:
        name: its name in `DNNBRIDGE_KERNELS` and reports.
        can: whether it computes an operation and its derivatives for these shapes on this device:
            (op, shapes, device).
        lower: (op, tensors, again) -> tensor.
        single: whether it computes an operation in float32 only.
    """

    name: str
    can: Callable[[Any, Shapes, str], bool]
    lower: Callable[[Any, Sequence[Tensor], Again], Tensor]
    single: Callable[[Any], bool] = lambda op: False


class Forms(NamedTuple):
    """All forms of an operation.

    Attributes:
        name: name of the operation in `DNNBRIDGE_KERNELS`.
        candidates: the forms, the fastest first.
    """

    name: str
    candidates: Sequence[Candidate]


Table = Mapping[type[Op], Forms]


def choose(forms: Forms, op: Op, shapes: Shapes, device: str, double: bool = False) -> Candidate:
    """Return the first form that can compute the operation; forms the user named come first.

    Args:
        forms: all forms of the operation.
        op: the operation.
        shapes: shapes of its inputs.
        device: where it runs.
        double: whether it computes in float64.
    """
    wanted = asked_for(forms.name, [each.name for each in forms.candidates])
    ranks = {name: k for k, name in enumerate(wanted)}
    ordered = sorted(forms.candidates, key=lambda each: ranks.get(each.name, len(wanted)))
    fit = (each for each in ordered if not (double and each.single(op)))
    return next(each for each in fit if each.can(op, shapes, device))


def lowering(table: Table, device: str) -> Again:
    """Return a function that lowers every operation of a table on a device."""

    def lower(op: Op, *tensors: Tensor) -> Tensor:
        shapes = [tuple(each.shape) for each in tensors]
        double = tensors[0].dtype == "float64"
        return choose(table[type(op)], op, shapes, device, double).lower(op, tensors, lower)

    return lower

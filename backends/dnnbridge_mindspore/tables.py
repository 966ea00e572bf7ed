"""What a kind of device gets: the tables of the CPU, or the native kernels of an accelerator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dnnbridge.backend import Claim, Op
from dnnbridge_mindspore import double_lowerings, lowerings, native_lowerings
from dnnbridge_mindspore.claims import CLAIMS, ON_ACCELERATOR
from dnnbridge_mindspore.loops import DIRECT, Direct
from dnnbridge_mindspore.lowerings import LOWERINGS, Source


@dataclass(frozen=True)
class Tables:
    """The tables from which source is generated.

    Attributes:
        lowerings: the source of each operation.
        claims: kernels for whole calls.
        per_channel: the source of an operation of a channels-first array and one number per
            channel.
        direct: operations whose derivative compiles inside the derivative of a loop.
        native: operations that compute in float16 and bfloat16 themselves, and round once.
        read: the source that reads a parameter, which takes the place of the braces.
    """

    lowerings: Mapping[type[Op], Callable[..., Source]]
    claims: Mapping[type, Claim]
    per_channel: Callable[..., Source]
    direct: Direct
    native: frozenset[type[Op]]
    read: str = "{}"


CPU = Tables(LOWERINGS, CLAIMS, lowerings.per_channel, DIRECT, lowerings.NATIVE)

ACCELERATOR = Tables(
    {**LOWERINGS, **native_lowerings.ON_ACCELERATOR},
    ON_ACCELERATOR,
    native_lowerings.per_channel,
    DIRECT | native_lowerings.DIRECT,
    native_lowerings.NATIVE,
)


DOUBLE = Tables(
    {**LOWERINGS, **double_lowerings.IN_FLOAT64},
    {},
    native_lowerings.per_channel,
    DIRECT | double_lowerings.DIRECT,
    lowerings.NATIVE,
    double_lowerings.READ,
)


def tables_of(kind: str, variable_dtype: str = "float32") -> Tables:
    """Return the tables of a kind of device, for a program with weights of a type."""
    if variable_dtype == "float64":
        return DOUBLE
    return CPU if kind == "cpu" else ACCELERATOR

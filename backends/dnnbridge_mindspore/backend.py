"""The MindSpore backend: its limits, its devices and how it compiles."""

from __future__ import annotations

import mindspore as ms

from dnnbridge.backend import (
    Deviation,
    Limitation,
    Op,
    Program,
    Workers,
    device_kind,
    is_deterministic,
    ops,
)
from dnnbridge_mindspore.claims import CLAIMS
from dnnbridge_mindspore.devices import seen, set_device
from dnnbridge_mindspore.executable import LOCK, MindSporeExecutable
from dnnbridge_mindspore.lowerings import LOWERINGS
from dnnbridge_mindspore.plugin import INFO
from dnnbridge_mindspore.tables import tables_of
from dnnbridge_mindspore.workers import join

LIMITATIONS: tuple[Limitation, ...] = ()

DEVIATIONS = (
    Deviation(
        ops.MaxPool,
        "a NaN in a window",
        "MindSpore returns the largest of the numbers after the last NaN",
        ("MaxPool-nan",),
        ("cpu",),
    ),
    Deviation(
        ops.Div,
        "a divisor beyond 8.5e37",
        "the quotient is 0, as division multiplies by the reciprocal, which underflows",
        ("Div-huge_divisor",),
        ("cpu",),
    ),
    Deviation(
        ops.Div,
        "a derivative by a divisor below 1e-19",
        "it is infinite or NaN, as the square of the reciprocal overflows",
        ("Div-gradient_of_small",),
        ("cpu",),
    ),
)


class MindSporeBackend:
    """Runs programs as generated Cells in GRAPH_MODE."""

    info = INFO
    lowered: frozenset[type[Op]] = frozenset(LOWERINGS)
    claims = CLAIMS
    limitations = LIMITATIONS
    deviations = DEVIATIONS

    def __init__(self) -> None:
        if is_deterministic() and ms.get_context("deterministic") != "ON":  # it may be set once
            ms.set_deterministic(True)

    def devices(self) -> tuple[str, ...]:
        return seen()

    def compile(self, program: Program, device: str) -> MindSporeExecutable:
        set_device(device)
        return _executable(program, device)

    def compile_part(self, program: Program, device: str, workers: Workers) -> MindSporeExecutable:
        set_device(device)
        join()
        return _executable(program, device)


def _executable(program: Program, device: str) -> MindSporeExecutable:
    """Return a new executable, and free the arrays of those that are gone.

    MindSpore keeps them for arrays of the same sizes.
    """
    with LOCK:
        ms.ms_memory_recycle()
    return MindSporeExecutable(program, tables_of(device_kind(device), program.variable_dtype))

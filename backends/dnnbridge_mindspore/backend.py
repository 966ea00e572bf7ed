"""The MindSpore backend: what it can do, and how it compiles."""

from __future__ import annotations

import mindspore as ms

from dnnbridge.backend import Limitation
from dnnbridge.graph import Op
from dnnbridge.program import Program
from dnnbridge_mindspore.executable import MindSporeExecutable
from dnnbridge_mindspore.lowerings import LOWERINGS
from dnnbridge_mindspore.plugin import INFO

LIMITATIONS: tuple[Limitation, ...] = ()

DEVICES = {"cpu": "CPU", "gpu": "GPU", "ascend": "Ascend"}


class MindSporeBackend:
    """Runs programs as generated Cells in GRAPH_MODE."""

    info = INFO
    lowered: frozenset[type[Op]] = frozenset(LOWERINGS)
    limitations = LIMITATIONS

    def devices(self) -> tuple[str, ...]:
        accelerators = [name for name in ("ascend", "gpu") if ms.hal.is_available(DEVICES[name])]
        return (*accelerators, "cpu")

    def compile(self, program: Program, device: str) -> MindSporeExecutable:
        ms.set_device(DEVICES[device])
        return MindSporeExecutable(program)

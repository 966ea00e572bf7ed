"""The TensorFlow backend: what it can do, and how it compiles."""

from __future__ import annotations

import tensorflow as tf

from dnnbridge import ops
from dnnbridge.backend import Deviation, Limitation
from dnnbridge.graph import Op
from dnnbridge.program import Program
from dnnbridge_tensorflow.claims import CLAIMS
from dnnbridge_tensorflow.executable import TensorFlowExecutable
from dnnbridge_tensorflow.lowerings import lowerings_on
from dnnbridge_tensorflow.plugin import INFO

LIMITATIONS: tuple[Limitation, ...] = ()

DEVIATIONS = (
    Deviation(
        ops.MaxPool,
        "a NaN in a window",
        "TensorFlow takes the largest of the other numbers, -3.4e38 where there is none",
        ("MaxPool-nan",),
        ("cpu",),
    ),
)


class TensorFlowBackend:
    """Runs programs as `tf.function`s."""

    info = INFO
    lowered: frozenset[type[Op]] = frozenset(lowerings_on("cpu"))
    claims = CLAIMS
    limitations = LIMITATIONS
    deviations = DEVIATIONS

    def devices(self) -> tuple[str, ...]:
        return ("gpu", "cpu") if tf.config.list_physical_devices("GPU") else ("cpu",)

    def compile(self, program: Program, device: str) -> TensorFlowExecutable:
        return TensorFlowExecutable(program, device)

"""The TensorFlow backend: what it can do, and how it compiles."""

from __future__ import annotations

import tensorflow as tf

from dnnbridge.backend import Limitation
from dnnbridge.graph import Op
from dnnbridge.program import Program
from dnnbridge_tensorflow.claims import CLAIMS
from dnnbridge_tensorflow.executable import TensorFlowExecutable
from dnnbridge_tensorflow.lowerings import LOWERINGS
from dnnbridge_tensorflow.plugin import INFO

LIMITATIONS: tuple[Limitation, ...] = ()


class TensorFlowBackend:
    """Runs programs as `tf.function`s."""

    info = INFO
    lowered: frozenset[type[Op]] = frozenset(LOWERINGS)
    claims = CLAIMS
    limitations = LIMITATIONS

    def devices(self) -> tuple[str, ...]:
        return ("gpu", "cpu") if tf.config.list_physical_devices("GPU") else ("cpu",)

    def compile(self, program: Program, device: str) -> TensorFlowExecutable:
        return TensorFlowExecutable(program, device)

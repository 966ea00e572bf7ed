"""The TensorFlow backend: its limits, its devices and how it compiles."""

from __future__ import annotations

import os
from collections.abc import Mapping

import tensorflow as tf

from dnnbridge.backend import (
    BackendError,
    Deviation,
    Limitation,
    Op,
    Program,
    Workers,
    device_kind,
    is_deterministic,
    names_of,
    ops,
)
from dnnbridge_tensorflow.claims import CLAIMS
from dnnbridge_tensorflow.executable import TensorFlowExecutable
from dnnbridge_tensorflow.lowerings import lowerings_on
from dnnbridge_tensorflow.plugin import INFO
from dnnbridge_tensorflow.windows import has_dilated_conv
from dnnbridge_tensorflow.workers import join, meeting_of

LIMITATIONS: tuple[Limitation, ...] = ()

DEVIATIONS = (
    Deviation(
        ops.MaxPool,
        "a NaN in a window",
        "TensorFlow returns the largest of the other numbers, or -3.4e38 if there are none",
        ("MaxPool-nan",),
        ("cpu",),
    ),
)


TF32 = "DNNBRIDGE_TENSORFLOW_TF32"
"""Environment variable: 1 lets a GPU round the factors of products to 10 bits.

This is faster, but a thousand times less exact than the suite allows: `tolerances.tf32` says how
exact a product then is.
"""


class TensorFlowBackend:
    """Runs programs as `tf.function`s."""

    info = INFO
    lowered: frozenset[type[Op]] = frozenset(lowerings_on("cpu"))
    claims = CLAIMS
    limitations = LIMITATIONS
    deviations = DEVIATIONS

    def __init__(self) -> None:
        if is_deterministic():
            tf.config.experimental.enable_op_determinism()
        join()  # TensorFlow allows it only before its first operation

    def devices(self) -> tuple[str, ...]:
        """Return the GPUs and the CPU; asking for them reserves no memory of a GPU."""
        return (*names_of("gpu", len(tf.config.list_physical_devices("GPU"))), "cpu")

    def compile(self, program: Program, device: str) -> TensorFlowExecutable:
        if device_kind(device) == "gpu":
            _choose_tf32()
        return TensorFlowExecutable(program, device)

    def compile_part(self, program: Program, device: str, workers: Workers) -> TensorFlowExecutable:
        if device_kind(device) == "gpu":
            _choose_tf32()
        return TensorFlowExecutable(program, device, meeting_of(workers, device))


def _choose_tf32() -> None:
    """Turn TF32 off unless the user asked for it; the setting is global to the process."""
    choice = os.environ.get(TF32, "")
    if choice not in ("", "0", "1"):
        raise BackendError("must be 0 or 1", where=TF32, got=repr(choice))
    tf.config.experimental.enable_tensor_float_32_execution(choice == "1")


def facts() -> Mapping[str, str]:
    """Return facts that affect the numbers of TensorFlow here; oneDNN is detected by a test run."""
    threads = tf.config.threading.get_intra_op_parallelism_threads()
    made = {
        "oneDNN": "on" if has_dilated_conv("cpu") else "off",
        "threads": str(threads or os.environ.get("TF_NUM_INTRAOP_THREADS") or "one per core"),
    }
    if is_deterministic():
        made["deterministic"] = "on"
    if gpus := tf.config.list_physical_devices("GPU"):
        on = tf.config.experimental.tensor_float_32_execution_enabled()
        made["TF32"] = "on" if on else "off"
        details = map(tf.config.experimental.get_device_details, gpus)
        made["device"] = ", ".join(dict.fromkeys(str(e.get("device_name", "?")) for e in details))
    return made


def missing(kind: str) -> str:
    """Return why TensorFlow sees no GPU, and what to do."""
    if not tf.test.is_built_with_cuda() and not tf.test.is_built_with_rocm():
        return (
            "This TensorFlow is built without CUDA. Run: pip uninstall -y tensorflow-cpu && "
            "pip install --force-reinstall --no-deps tensorflow && pip install "
            "'tensorflow[and-cuda]'"
        )
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None and not hidden.replace("-1", "").strip():
        return (
            f"CUDA_VISIBLE_DEVICES is {hidden!r}, which hides every GPU. "
            "Run: unset CUDA_VISIBLE_DEVICES"
        )
    wanted = tf.sysconfig.get_build_info()
    return (
        f"It is built for CUDA {wanted.get('cuda_version', '')} and cuDNN "
        f"{wanted.get('cudnn_version', '')}, and needs a GPU with a driver for them. For the "
        "libraries run: pip install 'tensorflow[and-cuda]'"
    )

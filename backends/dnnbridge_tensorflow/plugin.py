"""Entry point of the TensorFlow backend; imports TensorFlow only when the backend is loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from dnnbridge.backend import (
    Backend,
    BackendInfo,
    BackendPlugin,
    KernelGroup,
    ReadNative,
    RealType,
    Variant,
)
from dnnbridge_tensorflow import quiet

REWRITTEN = (
    "tensorflow.conv=batches/split/spread",
    "tensorflow.conv_transpose=turned/spread",
    "tensorflow.max_pool=planes",
    "tensorflow.avg_pool=planes",
)
SLICES = (
    "tensorflow.conv=slices",
    "tensorflow.conv_transpose=spread",
    "tensorflow.max_pool=slices",
)

KERNELS = (
    KernelGroup("tensorflow.avg_pool", ("line", "native", "planes"), several=True),
    KernelGroup(
        "tensorflow.conv",
        ("line", "pointwise", "depthwise", "native", "batches", "split", "slices", "spread"),
        several=True,
    ),
    KernelGroup(
        "tensorflow.conv_transpose",
        ("pointwise", "line", "native", "turned", "spread"),
        several=True,
    ),
    KernelGroup("tensorflow.max_pool", ("line", "native", "planes", "slices"), several=True),
)
"""The forms of `windows.py`, which imports TensorFlow."""

VARIANTS = (
    Variant("onednn", (("TF_ENABLE_ONEDNN_OPTS", "1"),), "the kernels of oneDNN"),
    Variant("no-onednn", (("TF_ENABLE_ONEDNN_OPTS", "0"),), "TensorFlow's own kernels"),
    Variant("xla", (("DNNBRIDGE_TENSORFLOW_XLA", "all"),), "XLA compiles every function"),
    Variant("no-xla", (("DNNBRIDGE_TENSORFLOW_XLA", "0"),), "XLA compiles no function"),
    Variant(
        "rewritten", (("DNNBRIDGE_KERNELS", ",".join(REWRITTEN)),), "windows as other operations"
    ),
    Variant("slices", (("DNNBRIDGE_KERNELS", ",".join(SLICES)),), "windows as slices"),
    Variant(
        "one-thread",
        (("TF_NUM_INTRAOP_THREADS", "1"), ("TF_NUM_INTEROP_THREADS", "1")),
        "one thread, which adds in another order",
    ),
)

INFO = BackendInfo(
    name="tensorflow",
    modules=("tensorflow",),
    distributions=("tensorflow", "tensorflow-cpu", "tensorflow-gpu"),
    install="pip install 'dnnbridge[tensorflow]'",
    devices=("cpu", "gpu"),
    natives=("keras",),
    reuses=True,
    by_rows=True,
    workers=("processes", "devices"),
    priority=30,
    variants=VARIANTS,
    noise=("Graph execution error", "Detected at node", "Detected unsupported", "<stack traces"),
    reals=(RealType("float16"), RealType("bfloat16"), RealType("float64")),
    recomputes=True,
    kernels=KERNELS,
)


def _load() -> Backend:
    if "tensorflow" not in sys.modules:  # TensorFlow reads these variables on import
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
        os.environ.setdefault(quiet.LEVEL, quiet.OURS)
    with quiet.quiet():
        from dnnbridge_tensorflow.backend import TensorFlowBackend

    return TensorFlowBackend()


def _natives() -> ReadNative:
    from dnnbridge_tensorflow.native_optimizers import read

    return read


def _facts() -> Mapping[str, str]:
    from dnnbridge_tensorflow.backend import facts

    return facts()


def _missing(kind: str) -> str:
    from dnnbridge_tensorflow.backend import missing

    return missing(kind)


PLUGIN = BackendPlugin(INFO, _load, _natives, _facts, _missing)

"""Entry point of the TensorFlow backend; imports TensorFlow only when the backend is asked for."""

from __future__ import annotations

import os
import sys

from dnnbridge.backend import Backend, BackendInfo
from dnnbridge.hookspecs import BackendPlugin, ReadNative
from dnnbridge_tensorflow import quiet

INFO = BackendInfo(
    name="tensorflow",
    modules=("tensorflow",),
    distributions=("tensorflow", "tensorflow-cpu", "tensorflow-gpu"),
    install="pip install 'dnnbridge[tensorflow]'",
    devices=("cpu", "gpu"),
    natives=("keras",),
    reuses=True,
    priority=30,
)


def _load() -> Backend:
    if "tensorflow" not in sys.modules:  # read when it is imported
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
        os.environ.setdefault(quiet.LEVEL, quiet.OURS)
    with quiet.quiet():
        from dnnbridge_tensorflow.backend import TensorFlowBackend

    return TensorFlowBackend()


def _natives() -> ReadNative:
    from dnnbridge_tensorflow.native_optimizers import read

    return read


PLUGIN = BackendPlugin(INFO, _load, _natives)

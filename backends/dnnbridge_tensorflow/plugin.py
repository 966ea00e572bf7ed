"""Entry point of the TensorFlow backend; imports TensorFlow only when the backend is asked for."""

from __future__ import annotations

import os

from dnnbridge.backend import Backend, BackendInfo
from dnnbridge.hookspecs import BackendPlugin, ReadNative

INFO = BackendInfo(
    name="tensorflow",
    modules=("tensorflow",),
    distributions=("tensorflow", "tensorflow-cpu", "tensorflow-gpu"),
    install="pip install 'dnnbridge[tensorflow]'",
    devices=("cpu", "gpu"),
    natives=("keras",),
    reuses=True,
    by_rows=True,
    priority=30,
)


def _load() -> Backend:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from dnnbridge_tensorflow.backend import TensorFlowBackend

    return TensorFlowBackend()


def _natives() -> ReadNative:
    from dnnbridge_tensorflow.native_optimizers import read

    return read


PLUGIN = BackendPlugin(INFO, _load, _natives)

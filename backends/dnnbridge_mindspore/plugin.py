"""Entry point of the MindSpore backend; imports MindSpore only when the backend is asked for."""

from __future__ import annotations

import os

from dnnbridge.backend import Backend, BackendInfo
from dnnbridge.hookspecs import BackendPlugin, ReadNative

INFO = BackendInfo(
    name="mindspore",
    modules=("mindspore",),
    distributions=("mindspore",),
    install="pip install 'dnnbridge[mindspore]'",
    devices=("cpu", "gpu", "ascend"),
    natives=("mindspore",),
    reuses=True,
    by_rows=True,
    priority=20,
)


def _load() -> Backend:
    os.environ.setdefault("GLOG_v", "3")
    from dnnbridge_mindspore.backend import MindSporeBackend

    return MindSporeBackend()


def _natives() -> ReadNative:
    from dnnbridge_mindspore.native_optimizers import read

    return read


PLUGIN = BackendPlugin(INFO, _load, _natives)

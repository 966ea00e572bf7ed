"""Entry point of the MindSpore backend; imports MindSpore only when the backend is asked for."""

from __future__ import annotations

import os

from dnnbridge.backend import Backend, BackendInfo
from dnnbridge.hookspecs import BackendPlugin

INFO = BackendInfo(
    name="mindspore",
    modules=("mindspore",),
    distributions=("mindspore",),
    install="pip install 'dnnbridge[mindspore]'",
    devices=("cpu", "gpu", "ascend"),
    priority=20,
)


def _load() -> Backend:
    os.environ.setdefault("GLOG_v", "3")
    from dnnbridge_mindspore.backend import MindSporeBackend

    return MindSporeBackend()


PLUGIN = BackendPlugin(INFO, _load)

"""Entry point of the MindSpore backend; imports MindSpore only when the backend is asked for."""

from __future__ import annotations

import os

from dnnbridge.backend import Backend, BackendInfo
from dnnbridge.hookspecs import hookimpl

INFO = BackendInfo(
    name="mindspore",
    modules=("mindspore",),
    distributions=("mindspore",),
    install="pip install 'dnnbridge[mindspore]'",
    devices=("cpu", "gpu", "ascend"),
    priority=20,
)


@hookimpl
def dnnbridge_backend_info(name: str) -> BackendInfo | None:
    return INFO if name == INFO.name else None


@hookimpl
def dnnbridge_backend(name: str) -> Backend | None:
    if name != INFO.name:
        return None
    os.environ.setdefault("GLOG_v", "3")
    from dnnbridge_mindspore.backend import MindSporeBackend

    return MindSporeBackend()

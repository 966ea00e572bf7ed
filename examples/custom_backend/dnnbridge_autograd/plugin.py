"""Entry point: describe the backend, and import its framework only when it is asked for."""

from __future__ import annotations

from dnnbridge.backend import Backend, BackendInfo
from dnnbridge.hookspecs import hookimpl

INFO = BackendInfo(
    name="autograd",
    modules=("autograd",),
    distributions=("autograd",),
    install="pip install autograd",
)


@hookimpl
def dnnbridge_backend_info(name: str) -> BackendInfo | None:
    return INFO if name == INFO.name else None


@hookimpl
def dnnbridge_backend(name: str) -> Backend | None:
    if name != INFO.name:
        return None
    from dnnbridge_autograd.backend import AutogradBackend

    return AutogradBackend()

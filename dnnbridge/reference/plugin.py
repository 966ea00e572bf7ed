"""Entry point of the reference backend."""

from __future__ import annotations

from dnnbridge.backend import Backend, BackendInfo
from dnnbridge.hookspecs import hookimpl


@hookimpl
def dnnbridge_backend_info(name: str) -> BackendInfo | None:
    from dnnbridge.reference.backend import INFO

    return INFO if name == INFO.name else None


@hookimpl
def dnnbridge_backend(name: str) -> Backend | None:
    from dnnbridge.reference.backend import INFO, ReferenceBackend

    return ReferenceBackend() if name == INFO.name else None

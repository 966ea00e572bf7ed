"""Entry point of the reference backend."""

from __future__ import annotations

from dnnbridge.backend.hookspecs import BackendPlugin
from dnnbridge.backend.protocol import Backend, BackendInfo, RealType

INFO = BackendInfo(
    name="reference",
    install="pip install dnnbridge",
    priority=10,
    workers=("devices",),
    reals=(RealType("float16"), RealType("bfloat16"), RealType("float64")),
)


def _load() -> Backend:
    from dnnbridge.reference.backend import ReferenceBackend

    return ReferenceBackend()


PLUGIN = BackendPlugin(INFO, _load)

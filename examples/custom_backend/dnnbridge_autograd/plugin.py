"""Entry point: describe the backend, and import its framework only when it is loaded."""

from __future__ import annotations

from dnnbridge.backend import Backend, BackendInfo, BackendPlugin

INFO = BackendInfo(
    name="autograd",
    modules=("autograd",),
    distributions=("autograd",),
    install="pip install autograd",
)


def _load() -> Backend:
    from dnnbridge_autograd.backend import AutogradBackend

    return AutogradBackend()


PLUGIN = BackendPlugin(INFO, _load)

"""The hooks of dnnbridge: how a package offers a backend.

A package declares an entry point in the group `dnnbridge.backends`, named like its backend, that
points at an object with the two hooks below, marked with `hookimpl`; a `BackendPlugin` is one. What
the entry point imports must not import the framework.
"""

from __future__ import annotations

from collections.abc import Callable

import pluggy

from dnnbridge.backend import Backend, BackendInfo

PROJECT = "dnnbridge"
GROUP = "dnnbridge.backends"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec(firstresult=True)
def dnnbridge_backend_info(name: str) -> BackendInfo | None:
    """Describe the backend of this name, without importing its framework; None if not yours."""


@hookspec(firstresult=True)
def dnnbridge_backend(name: str) -> Backend | None:
    """Import the framework and return the backend of this name; None if not yours."""


class BackendPlugin:
    """Both hooks for one backend: a description, and a function that imports and returns it.

    Example:
        >>> from dnnbridge.backend import BackendInfo
        >>> plugin = BackendPlugin(BackendInfo("mine"), load=lambda: ...)
        >>> plugin.dnnbridge_backend_info("mine").name
        'mine'
    """

    def __init__(self, info: BackendInfo, load: Callable[[], Backend]) -> None:
        self.info, self.load = info, load

    @hookimpl
    def dnnbridge_backend_info(self, name: str) -> BackendInfo | None:
        return self.info if name == self.info.name else None

    @hookimpl
    def dnnbridge_backend(self, name: str) -> Backend | None:
        return self.load() if name == self.info.name else None

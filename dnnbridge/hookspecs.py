"""The hooks of dnnbridge: how a package offers a backend.

A package declares an entry point in the group `dnnbridge.backends`, named like its backend, that
points at a module (or object) with these two functions, each marked with `hookimpl`. Neither may
import the framework at module level.
"""

from __future__ import annotations

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

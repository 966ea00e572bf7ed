"""The hooks of dnnbridge: how a package offers a backend.

A package declares an entry point in the group `dnnbridge.backends`, with the name of its backend.
It points at an object whose methods implement the hooks below, marked with `hookimpl`, such as a
`BackendPlugin`. Loading the entry point must not import the framework.

The names of dnnbridge's own backends are reserved. A name that two packages use is refused.
Exceptions of a plugin become a `BackendError` of that backend; its output goes to stderr.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

from dnnbridge.backend.protocol import Backend, BackendInfo

if TYPE_CHECKING:
    from dnnbridge.optimizers import AbstractOptimizer, NativeOptions

PROJECT = "dnnbridge"
GROUP = "dnnbridge.backends"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec(firstresult=True)
def dnnbridge_backend_info(name: str) -> BackendInfo | None:
    """Describe the backend of this name without importing its framework; None if not yours."""


@hookspec(firstresult=True)
def dnnbridge_backend(name: str) -> Backend | None:
    """Import the framework and return the backend of this name; None if not yours."""


@hookspec(firstresult=True)
def dnnbridge_from_native(optimizer: Any, options: NativeOptions) -> AbstractOptimizer | None:
    """Return the spec of an optimizer object of the framework; None if it is not one.

    Optional. Called for plugins whose `BackendInfo.natives` has the package of the class.
    """


@hookspec(firstresult=True)
def dnnbridge_backend_facts(name: str) -> Mapping[str, str] | None:
    """Return facts that affect the backend's numbers or speed here; None if not yours.

    Optional. Called after the framework is imported. Examples are threads and kernel libraries.
    """


@hookspec(firstresult=True)
def dnnbridge_device_missing(name: str, kind: str) -> str | None:
    """Say why the backend sees no device of a kind here, and what to do; None if not yours.

    Optional. Called after the framework is imported, for a kind of `BackendInfo.devices` of which
    `Backend.devices` has none. The text is one or more sentences.
    """


ReadNative = Callable[[Any, "NativeOptions"], "AbstractOptimizer | None"]
"""Type of `dnnbridge_from_native`."""


class BackendPlugin:
    """All hooks for one backend: a description, and functions that import what they return.

    Args:
        info: the description.
        load: imports and returns the backend.
        natives: imports and returns the function that reads optimizer objects, if there is one.
        facts: returns what `dnnbridge_backend_facts` returns, if there is anything to tell.
        missing: takes a kind and returns what `dnnbridge_device_missing` returns.

    Example:
        >>> from dnnbridge.backend.protocol import BackendInfo
        >>> plugin = BackendPlugin(BackendInfo("mine"), load=lambda: ...)
        >>> plugin.dnnbridge_backend_info("mine").name
        'mine'
    """

    def __init__(
        self,
        info: BackendInfo,
        load: Callable[[], Backend],
        natives: Callable[[], ReadNative] | None = None,
        facts: Callable[[], Mapping[str, str]] | None = None,
        missing: Callable[[str], str] | None = None,
    ) -> None:
        self.info, self.load, self.natives, self.facts = info, load, natives, facts
        self.missing = missing

    @hookimpl
    def dnnbridge_backend_info(self, name: str) -> BackendInfo | None:
        return self.info if name == self.info.name else None

    @hookimpl
    def dnnbridge_backend(self, name: str) -> Backend | None:
        return self.load() if name == self.info.name else None

    @hookimpl
    def dnnbridge_from_native(
        self, optimizer: Any, options: NativeOptions
    ) -> AbstractOptimizer | None:
        return self.natives()(optimizer, options) if self.natives else None

    @hookimpl
    def dnnbridge_backend_facts(self, name: str) -> Mapping[str, str] | None:
        return self.facts() if self.facts and name == self.info.name else None

    @hookimpl
    def dnnbridge_device_missing(self, name: str, kind: str) -> str | None:
        return self.missing(kind) if self.missing and name == self.info.name else None

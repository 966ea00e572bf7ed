"""Load backends from plugins; any failure becomes an error of that plugin alone.

Signals wait while a plugin is loaded or asked: C++ code of a framework may abort the process if a
handler raises an exception in the middle of an import.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from dnnbridge.backend import hookspecs
from dnnbridge.backend.protocol import Backend, BackendInfo, KernelGroup
from dnnbridge.base.interrupts import Waiting
from dnnbridge.base.messages import close_match, shorten
from dnnbridge.errors import BackendError, DnnbridgeError

OWN = "dnnbridge"
"""The distribution whose backend names are reserved."""

MEMBERS = ("info", "lowered", "claims", "limitations", "deviations", "devices", "compile")
"""Attributes that a backend must have."""


def _words(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(each, str) for each in value)


def _is_group(value: Any) -> bool:
    named = isinstance(value, KernelGroup) and isinstance(value.name, str)
    return named and bool(value.candidates) and _words(value.candidates)


FIELDS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("modules", "distributions", "devices", "natives"), _words),
    "install": lambda value: isinstance(value, str),
    "priority": lambda value: isinstance(value, (int, float)) and value == value,
    "kernels": lambda value: isinstance(value, tuple) and all(map(_is_group, value)),
}
"""Checks of a description, by field."""


def offered() -> dict[str, list[EntryPoint]]:
    """Return the entry points of every name; one of dnnbridge itself hides all others."""
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=hookspecs.GROUP):
        found.setdefault(point.name, []).append(point)
    for name, points in found.items():
        own = [point for point in points if distribution_of(point) == OWN]
        distinct = {(point.value, distribution_of(point)): point for point in own or points}
        found[name] = list(distinct.values())
    return found


def distribution_of(point: EntryPoint) -> str:
    """Return the pip name of the package that declares an entry point."""
    return point.dist.name if point.dist is not None else "an unknown package"


def described(name: str) -> BackendInfo:
    """Return the description of a backend; imports no framework.

    Raises:
        BackendError: no package or several packages offer the name, or its plugin is broken.
    """
    point = _point(name)
    with _only_its_own(point, "cannot describe its backend"):
        info: Any = _hooks(point).dnnbridge_backend_info(name=name)
    if info is None:
        return BackendInfo(name)
    if not isinstance(info, BackendInfo):
        raise _broken(point, "does not describe its backend by a BackendInfo", shorten(info))
    if info.name != name:
        raise _broken(point, f"describes a backend other than {name}", shorten(info.name))
    for field, holds in FIELDS.items():
        value = getattr(info, field)
        if not holds(value):
            raise _broken(point, "has a wrong value in its BackendInfo", f"{field}={value!r:.60}")
    return info


def loaded(name: str) -> Backend:
    """Import the framework of a backend and return the backend."""
    point = _point(name)
    with _only_its_own(point, "cannot load its backend", shown=True):
        backend: Any = _hooks(point).dnnbridge_backend(name=name)
    if backend is None:
        raise _broken(point, "returned no backend", "None")
    missing = [member for member in MEMBERS if not hasattr(backend, member)]
    if missing:
        got = f"{shorten(backend)} without {', '.join(missing)}"
        raise _broken(point, "returned no backend", got)
    made: Backend = backend
    return made


def facts(name: str) -> dict[str, str]:
    """Return the facts of a backend on this machine; its framework must be imported."""
    point = _point(name)
    with _only_its_own(point, "cannot return the facts of its backend"):
        found: Any = _hooks(point).dnnbridge_backend_facts(name=name)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise _broken(point, "must return its backend's facts as a mapping", shorten(found))
    return dict(found)


def missing(name: str, kind: str) -> str:
    """Return why a backend sees no device of a kind; empty if its plugin does not say."""
    point = _point(name)
    with _only_its_own(point, "cannot say why a device is missing"):
        found: Any = _hooks(point).dnnbridge_device_missing(name=name, kind=kind)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise _broken(point, "must say in words why a device is missing", shorten(found))
    return found


def hooks(name: str) -> pluggy.HookRelay:
    """Return the hooks of the plugin for a backend."""
    return _hooks(_point(name))


def importable(module: str) -> bool:
    """Return whether a module can be imported, without importing it."""
    if module in sys.modules:
        return sys.modules[module] is not None
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError, AttributeError):  # a parent is not a package
        return False


def _point(name: str) -> EntryPoint:
    points = offered()
    if name not in points:
        raise BackendError(
            "unknown backend", where="backend", got=repr(name), hint=close_match(name, points)
        )
    if len(points[name]) > 1:
        raise BackendError(
            "several packages offer this backend",
            where=f"backend {name}",
            got=" and ".join(f"{distribution_of(p)} ({p.value})" for p in points[name]),
            hint="Uninstall all but one of them.",
        )
    return points[name][0]


def _hooks(point: EntryPoint) -> pluggy.HookRelay:
    made = _imported(point)
    if isinstance(made, BackendError):
        raise made
    return made


@cache
def _imported(point: EntryPoint) -> pluggy.HookRelay | BackendError:
    """Import a plugin once; cache the error of a broken one too."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        with _only_its_own(point, "cannot be loaded"):
            manager.register(point.load(), point.name)
            manager.check_pending()
    except BackendError as error:
        return error
    return manager.hook


@contextmanager
def _only_its_own(point: EntryPoint, what: str, shown: bool = False) -> Iterator[None]:
    """Turn exceptions of a plugin into a BackendError, and let signals wait.

    Redirect its output to stderr, unless `shown`. What the handler of a signal raises is no
    exception of the plugin: it passes.
    """
    with Waiting(waits=True) as waiting:
        try:
            with nullcontext() if shown else redirect_stdout(sys.stderr):
                yield
        except (DnnbridgeError, Warning, KeyboardInterrupt):  # meant for the user
            raise
        except BaseException as error:  # SystemExit too: a plugin must not end the program
            if waiting.raised is not None:  # a second signal, which does not wait
                raise waiting.raised from None
            raise _broken(point, what, f"{type(error).__name__}: {error}") from error


def _broken(point: EntryPoint, what: str, got: str) -> BackendError:
    return BackendError(
        f"the plugin {what}",
        where=f"entry point {point.name} = {point.value}",
        got=got,
        hint=f"Fix or uninstall {distribution_of(point)}, which offers backend {point.name}.",
    )

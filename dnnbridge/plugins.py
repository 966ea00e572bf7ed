"""Find backends through their entry points and load only the one asked for."""

from __future__ import annotations

import importlib.util
import logging
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from typing import TYPE_CHECKING, Any

import pluggy

from dnnbridge import hookspecs
from dnnbridge.backend import Backend, BackendInfo
from dnnbridge.errors import BackendError, BackendNotInstalledError
from dnnbridge.wording import close_match

if TYPE_CHECKING:
    from dnnbridge.optimizers import AbstractOptimizer, NativeOptions

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AvailableBackend:
    """A row of `available_backends`.

    Attributes:
        name: what to pass as `backend=`.
        installed: whether its framework can be imported.
        version: of the framework; empty if it is not installed or needs none.
        install: the command that installs it.
        devices: kinds of device it can use, where the machine has them.
    """

    name: str
    installed: bool
    version: str
    install: str
    devices: tuple[str, ...]


def available_backends() -> list[AvailableBackend]:
    """Return all backends that are plugged in, the default one first; imports no framework.

    Example:
        >>> "reference" in [backend.name for backend in available_backends()]
        True
    """
    infos = [info for name in _entry_points() if (info := _info_or_warning(name))]
    infos.sort(key=lambda info: (-info.priority, info.name))
    return [
        AvailableBackend(info.name, _installed(info), _version(info), info.install, info.devices)
        for info in infos
    ]


def default_backend() -> str:
    """Return the installed backend with the highest priority, and log it."""
    for backend in available_backends():
        if backend.installed:
            log.info("backend %s chosen: the first that is installed", backend.name)
            return backend.name
    raise BackendError("no backend is plugged in", hint="Reinstall dnnbridge with pip.")


def require_backend(name: str) -> BackendInfo:
    """Return the description of an installed backend; imports no framework.

    Raises:
        BackendError: no backend has this name.
        BackendNotInstalledError: its framework is missing; the message has the pip command.
    """
    info = _info(name)
    if not _installed(info):
        raise BackendNotInstalledError(
            f"backend {name} needs {' and '.join(info.modules)}",
            where="backend",
            got="no such package installed",
            hint=f"Run: {info.install}",
        )
    return info


def load_backend(name: str) -> Backend:
    """Import the framework of a backend and return the backend; raises as `require_backend`."""
    info = require_backend(name)
    if missing := [module for module in info.modules if module not in sys.modules]:
        log.info("loading %s …", f"{' and '.join(missing)} {_version(info)}".rstrip())
    backend: Backend | None = _hooks(name).dnnbridge_backend(name=name)
    if backend is None:
        raise BackendError(
            "the plugin returned no backend", where=f"entry point {name}", hint="Mend the plugin."
        )
    return backend


def backend_facts(name: str) -> dict[str, str]:
    """Return what a loaded backend says of itself on this machine, such as its threads."""
    return dict(_hooks(name).dnnbridge_backend_facts(name=name) or {})


def read_native(optimizer: Any, options: NativeOptions) -> AbstractOptimizer | None:
    """Return the spec of a live optimizer; asks only plugins of the packages that define its class.

    Such a package has been imported already: the object is there.
    """
    packages = {cls.__module__.partition(".")[0] for cls in type(optimizer).__mro__}
    for name in _entry_points():
        info = _info_or_warning(name)
        if info is not None and packages & set(info.natives):
            found: AbstractOptimizer | None = _hooks(name).dnnbridge_from_native(
                optimizer=optimizer, options=options
            )
            if found is not None:
                return found
    return None


def _entry_points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=hookspecs.GROUP)}


@cache
def _hooks(name: str) -> pluggy.HookRelay:
    points = _entry_points()
    if name not in points:
        raise BackendError(
            "unknown backend", where="backend", got=repr(name), hint=close_match(name, points)
        )
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(points[name].load(), name)
    except Exception as error:
        raise BackendError(
            "the plugin cannot be loaded",
            where=f"entry point {points[name].value}",
            got=f"{type(error).__name__}: {error}",
            hint=f"Mend or uninstall the package that offers backend {name}.",
        ) from error
    manager.check_pending()
    return manager.hook


def _info(name: str) -> BackendInfo:
    info: BackendInfo | None = _hooks(name).dnnbridge_backend_info(name=name)
    return info if info is not None else BackendInfo(name)


def _info_or_warning(name: str) -> BackendInfo | None:
    """Describe a backend; one broken plugin must not hide the others."""
    try:
        return _info(name)
    except BackendError as error:
        log.warning("backend %s left out: %s", name, error)
        return None


def _installed(info: BackendInfo) -> bool:
    return all(m in sys.modules or importlib.util.find_spec(m) is not None for m in info.modules)


def _version(info: BackendInfo) -> str:
    for distribution in info.distributions:
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return ""

"""Find backends through their entry points and load only the requested one.

A package that fails at import or in a hook is listed with its error and does not affect others.
The names of dnnbridge's own backends are reserved: other packages that use one are ignored. A name
that several other packages use is refused; the error names them.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from dnnbridge.backend.device import Device, check_kind, check_seen, device_kind
from dnnbridge.backend.plugin_loading import (
    described,
    facts,
    importable,
    loaded,
    missing,
    offered,
)
from dnnbridge.backend.protocol import Backend, BackendInfo
from dnnbridge.errors import BackendError, BackendNotInstalledError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AvailableBackend:
    """A row of `available_backends`.

    Attributes:
        name: the value of `backend=`.
        installed: whether its framework can be imported.
        version: version of the framework; empty if it is not installed or there is none.
        install: the command that installs it.
        devices: kinds of device it can use, if the machine has them.
        error: why its plugin cannot be used; empty if it can.
    """

    name: str
    installed: bool
    version: str
    install: str
    devices: tuple[str, ...]
    error: str = ""


def available_backends() -> list[AvailableBackend]:
    """Return all backends, the default first and broken ones last; imports no framework.

    Example:
        >>> "reference" in [backend.name for backend in available_backends()]
        True
    """
    infos, broken = all_described()
    infos.sort(key=lambda info: (-info.priority, info.name))
    rows = [
        AvailableBackend(info.name, _installed(info), _version(info), info.install, info.devices)
        for info in infos
    ]
    return rows + [
        AvailableBackend(name, False, "", "", (), error=str(error))
        for name, error in sorted(broken.items())
    ]


def default_backend() -> str:
    """Return the name of the installed backend with the highest priority, and log it."""
    every = available_backends()
    for backend in every:
        if backend.error:
            log.warning("backend %s ignored: %s", backend.name, backend.error)
    for backend in every:
        if backend.installed:
            log.info("using backend %s, the first that is installed", backend.name)
            return backend.name
    raise BackendError("found no backend", hint="Reinstall dnnbridge with pip.")


def require_backend(name: str) -> BackendInfo:
    """Return the description of an installed backend; imports no framework.

    Raises:
        BackendError: no backend has this name, several packages offer it, or its plugin is broken.
        BackendNotInstalledError: its framework is missing; the message has the pip command.
    """
    info = described(name)
    if not _installed(info):
        raise BackendNotInstalledError(
            f"backend {name} needs {' and '.join(info.modules)}",
            where="backend",
            got="no such package installed",
            hint=f"Run: {info.install}",
        )
    return info


def require_device(info: BackendInfo, device: Device, where: str = "device") -> None:
    """Raise unless a backend can use devices of a kind on some machine; imports no framework."""
    check_kind(info, device, where, all_described()[0])


def choose_device(backend: Backend, device: Device | None, where: str = "device") -> str:
    """Return the name of the requested device if it is there, or the backend's preferred one.

    Args:
        backend: a loaded backend.
        device: what is asked for, or None.
        where: the argument or variable that holds it, for the error.

    Raises:
        DeviceError: the backend does not see this device here.
    """
    seen = backend.devices()
    if device is None:
        return seen[0]
    require_device(backend.info, device, where)
    known = device.kind in map(device_kind, seen) or backend.info.name not in offered()
    reason = "" if known else missing(backend.info.name, device.kind)
    check_seen(backend.info, device, seen, where, reason)
    return str(device)


def load_backend(name: str) -> Backend:
    """Import the framework of a backend and return the backend; raises like `require_backend`."""
    info = require_backend(name)
    if missing := [module for module in info.modules if module not in sys.modules]:
        log.info("loading %s …", f"{' and '.join(missing)} {_version(info)}".rstrip())
    return loaded(name)


def backend_facts(name: str) -> dict[str, str]:
    """Return the facts of a loaded backend on this machine, such as its threads."""
    return facts(name)


def all_described() -> tuple[list[BackendInfo], dict[str, BackendError]]:
    """Return the descriptions of all backends, and the errors of broken ones by name."""
    infos: list[BackendInfo] = []
    broken: dict[str, BackendError] = {}
    for name in offered():
        try:
            infos.append(described(name))
        except BackendError as error:
            broken[name] = error
    return infos, broken


def _installed(info: BackendInfo) -> bool:
    return all(map(importable, info.modules))


def _version(info: BackendInfo) -> str:
    for distribution in info.distributions:
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return ""

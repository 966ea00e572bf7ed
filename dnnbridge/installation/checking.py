"""`check_installation`: look at packages, variables and the machine, and try each framework."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path

import platformdirs

from dnnbridge.backend.device import parse_device
from dnnbridge.backend.plugins import AvailableBackend, available_backends
from dnnbridge.base.calling import explained
from dnnbridge.base.machine import machine
from dnnbridge.base.messages import close_match
from dnnbridge.errors import BackendError, DeviceError
from dnnbridge.installation import hardware
from dnnbridge.installation.finding import Finding
from dnnbridge.installation.installation import Installation, sorted_findings
from dnnbridge.installation.installed import Installed, installed
from dnnbridge.installation.known_bad import RULES
from dnnbridge.installation.packages import package_findings, packages
from dnnbridge.installation.probe_findings import probe_findings
from dnnbridge.installation.probing import TIME_LIMIT, Probe, probe_all
from dnnbridge.installation.variables import is_writable, variable_findings


@explained()
def check_installation(
    backend: str | None = None, *, run: bool = True, time_limit: float = TIME_LIMIT
) -> Installation:
    """Look at what is installed, and try a training step on each device that a framework sees.

    Packages are looked at without importing them. Each framework and device is tried in a process
    of its own, so one that crashes or hangs is a finding.

    Args:
        backend: look only at this backend, which must then be installed. By default at all.
        run: whether to start these processes; without them nothing is trained.
        time_limit: the longest that a process may take, in seconds.

    Raises:
        BackendError: no backend has this name.

    Example:
        >>> found = check_installation("reference", run=False)
        >>> found.machine["Python"] == platform.python_version()
        True
    """
    chosen = _chosen(backend)
    here = installed(*(name for rule in RULES for name in rule.when))
    system = hardware.accelerators(os.environ)
    probes = [probe_all(each.name, time_limit) for each in chosen if run and each.installed]
    return assembled(here, system, os.environ, chosen, probes, named=backend is not None)


def assembled(
    here: Installed,
    system: hardware.Accelerators,
    environment: Mapping[str, str],
    backends: Iterable[AvailableBackend],
    probes: Iterable[list[Probe]],
    *,
    named: bool = False,
) -> Installation:
    """Return what follows from facts about an installation.

    Args:
        here: the packages.
        system: what the system says of accelerators.
        environment: the environment variables.
        backends: the backends to look at.
        probes: for each backend that was tried, its processes.
        named: whether the user named the backend, which must then be installed.
    """
    tried, rows = list(probes), list(backends)
    installs = {each.name: each.install for each in rows}
    chosen, device = _asked(environment, rows)
    found = package_findings(here, environment)
    found += _backend_findings(rows, named)
    found += variable_findings(environment)
    found += hardware.accelerator_findings(system, here)
    found += _folder_findings(Path(platformdirs.user_cache_dir("dnnbridge")))
    for each in tried:
        asked = device if each[0].backend == chosen else ""
        found += probe_findings(each, system, installs, asked)
    every = tuple(probe for each in tried for probe in each)
    return Installation(sorted_findings(found), _facts(), tuple(packages(here)), every)


def _chosen(name: str | None) -> list[AvailableBackend]:
    every = available_backends()
    if name is None:
        return every
    for each in every:
        if each.name == name:
            return [each]
    known = close_match(name, [each.name for each in every])
    raise BackendError("unknown backend", where="backend", got=repr(name), hint=known)


def _asked(environment: Mapping[str, str], rows: list[AvailableBackend]) -> tuple[str, str]:
    """Return the backend that is used by default, and the device that the environment names."""
    first = next((each.name for each in rows if each.installed), "")
    try:
        device = str(parse_device(environment.get("DNNBRIDGE_DEVICE", "")))
    except DeviceError:  # the finding about the variable says it
        device = ""
    return environment.get("DNNBRIDGE_BACKEND") or first, device


def _backend_findings(rows: list[AvailableBackend], named: bool) -> list[Finding]:
    """Return the broken plugins, and missing frameworks where they matter."""
    made = [Finding("problem", each.name, each.error.rstrip(".")) for each in rows if each.error]
    for each in rows:
        if not each.installed and not each.error and named:
            made.append(Finding("problem", each.name, "it is not installed", each.install))
    if not named and not any(each.installed and each.version for each in rows):
        what = "no framework is installed; everything runs on the reference, in NumPy"
        made.append(Finding("warning", "frameworks", what, "pip install 'dnnbridge[tensorflow]'"))
    return made


def _folder_findings(cache: Path) -> list[Finding]:
    if is_writable(cache):
        return []
    what = f"{cache} cannot be written, so choices of kernels are measured anew in every process"
    return [Finding("warning", "cache", what, "export XDG_CACHE_HOME=$(mktemp -d)")]


def _facts() -> dict[str, str]:
    """Return the facts about Python and the machine."""
    return {
        "Python": platform.python_version(),
        "platform": platform.platform(),
        "processor": str(machine()),
        "memory": hardware.memory() or "unknown",
    }

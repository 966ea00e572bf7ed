"""Findings about frameworks, from what their processes told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dnnbridge.backend.device import device_kind
from dnnbridge.installation.finding import Finding, Level
from dnnbridge.installation.hardware import Accelerators
from dnnbridge.installation.probing import Probe
from dnnbridge.testing.tolerances import TRAJECTORY

DOCTOR = "dnnbridge doctor --backend"

WRONG = 1e-2
"""Relative distance of weights after one step from which a device counts as broken.

Between `TRAJECTORY` and this, the device computes products with fewer bits.
"""


def probe_findings(
    probes: Sequence[Probe], machine: Accelerators, installs: Mapping[str, str], asked: str
) -> Iterator[Finding]:
    """Yield what the processes of one backend found.

    Args:
        probes: the first probe, and one for each further device.
        machine: what the system says of accelerators.
        installs: the pip command of each backend.
        asked: the device that the environment asks of this backend; empty if it asks for none.
    """
    for each in probes:
        fix = installs.get(each.backend, "")
        yield _failed(each, fix) if each.failure else _trained(each)
    yield from _not_seen(probes[0], machine, asked)


def _not_seen(probe: Probe, machine: Accelerators, asked: str) -> Iterator[Finding]:
    """Yield the devices that the machine has or the environment names, and the framework lacks."""
    if not probe.seen:
        return
    wanted = device_kind(asked)
    if asked and asked not in probe.seen:
        what, fix = _split(probe.missing.get(wanted, ""))
        seen = f"it sees {', '.join(probe.seen)}, and DNNBRIDGE_DEVICE names {asked}"
        said = f"{seen}. {what}".rstrip(" .")
        yield Finding("problem", probe.backend, said, fix or "unset DNNBRIDGE_DEVICE")
    for kind, reason in probe.missing.items():
        if machine.has(kind) and kind != wanted:
            what, fix = _split(reason)
            said = f"it sees no {kind}, which the machine has. {what}".rstrip(" .")
            yield Finding("warning", probe.backend, said, fix)


def _failed(probe: Probe, install: str) -> Finding:
    place = f" on {probe.device}" if probe.device and probe.device not in probe.stage else ""
    what = f"it fails at {probe.stage}{place}: {probe.failure}".rstrip(".")
    if probe.late:
        return Finding("problem", probe.backend, what, f"{DOCTOR} {probe.backend} --time-limit 900")
    again = install.replace("pip install", "pip install --force-reinstall", 1)
    shown = f"python -m dnnbridge.installation.probe {probe.backend} {probe.device}".rstrip()
    return Finding("problem", probe.backend, what, again if probe.stage == "import" else shown)


def _trained(probe: Probe) -> Finding:
    assert probe.distance is not None
    off = f"{probe.distance:.1e}"
    if probe.distance <= TRAJECTORY:
        what = f"a training step on {probe.device} agrees with the reference to {off}"
        return Finding("good", probe.backend, what)
    level: Level = "problem" if probe.distance > WRONG else "warning"
    what = f"a training step on {probe.device} differs from the reference by {off}"
    fix = f"dnnbridge conformance --quick --backend {probe.backend} --device {probe.device}"
    return Finding(level, probe.backend, what, fix)


def _split(reason: str) -> tuple[str, str]:
    """Return the words of a reason, and the command behind "run: " at its end."""
    for mark in (" Run: ", " run: "):
        words, found, command = reason.rpartition(mark)
        if found:
            return words, command
    return reason, ""

"""Start the process of `probe` for each framework and device, and read how far it came."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dnnbridge.installation.probe import MARK

TIME_LIMIT = 180.0
"""Default of the longest that a process may take, in seconds."""

GRACE = 5.0
"""Seconds to wait for the pipes of a process that was killed."""


@dataclass(frozen=True)
class Probe:
    """What a process found.

    Attributes:
        backend: the backend that it loaded.
        seen: the devices that the framework sees.
        missing: why it sees none of a kind, by kind.
        facts: what affects the numbers or the speed here.
        device: the device of the training step; empty if it came to none.
        distance: how far its weights are from the reference, relative; None if it came to none.
        failure: what ended the process early; empty if nothing did.
        stage: what the process was doing at its end.
        late: whether it was ended because it took too long.
    """

    backend: str
    seen: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    device: str = ""
    distance: float | None = None
    failure: str = ""
    stage: str = ""
    late: bool = False


Start = Callable[[str, str | None, float], Probe]
"""Probes a backend on a device within a number of seconds."""


def probe_all(
    backend: str, time_limit: float = TIME_LIMIT, start: Start | None = None
) -> list[Probe]:
    """Probe a backend on every device that it sees, each in a process of its own."""
    begin = start or probe
    first = begin(backend, None, time_limit)
    return [first, *(begin(backend, device, time_limit) for device in first.seen[1:])]


def probe(backend: str, device: str | None = None, time_limit: float = TIME_LIMIT) -> Probe:
    """Start the process and wait for it. Nothing that it does raises here."""
    command = [sys.executable, "-P", "-m", "dnnbridge.installation.probe", backend]
    command += [device] if device else []
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    late = False
    try:
        out, err = process.communicate(timeout=time_limit)
        ended = _ended(process.returncode, err)
    except subprocess.TimeoutExpired:
        late = True
        _kill(process)
        out, err = _rest(process)
        ended = f"it did not end within {time_limit:g} seconds"
    except BaseException:  # Ctrl-C: leave no process behind
        _kill(process)
        raise
    return replace(read_probe(backend, out, ended), late=late)


def read_probe(backend: str, out: str, ended: str) -> Probe:
    """Read the lines of a process.

    Args:
        backend: the backend that it loaded.
        out: its stdout.
        ended: how it ended, if not well.
    """
    told: dict[str, Any] = {}
    for line in out.split("\n"):  # splitlines would split at the mark too
        if line.startswith(MARK):
            with contextlib.suppress(ValueError):  # a line cut off by a crash
                told |= json.loads(line[1:])
    failure = told.get("failed", "")
    if not failure and told.get("distance") is None:
        failure = ended or "it ended without a result"
    return Probe(
        backend,
        tuple(told.get("seen", ())),
        told.get("missing", {}),
        told.get("facts", {}),
        told.get("device", ""),
        told.get("distance"),
        failure,
        told.get("stage", "starting Python"),
    )


def _ended(status: int, err: str) -> str:
    """Say how a process ended, with the last line that it wrote; empty if it ended well."""
    if not status:
        return ""
    said = f"it ended with exit status {status}"
    if status < 0:
        with contextlib.suppress(ValueError):
            said = f"it crashed with {signal.Signals(-status).name}"
    last = next((line.strip() for line in reversed(err.splitlines()) if line.strip()), "")
    return f"{said} ({last[:200]})" if last else said


def _rest(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Return what a killed process wrote; nothing if one that left its group keeps the pipes."""
    try:
        return process.communicate(timeout=GRACE)
    except subprocess.TimeoutExpired:
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        process.wait()
        return "", ""


def _kill(process: subprocess.Popen[str]) -> None:
    """Kill a process and, where the system has groups, those that it has started."""
    if sys.platform == "win32":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)

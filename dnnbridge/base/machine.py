"""`Machine`: the processor that a program runs on, for reports and cache keys."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")

INSTRUCTIONS = ("amx_tile", "avx512f", "avx2", "avx", "sse4_2", "sve", "asimd")
"""Extensions that decide which kernels a framework takes, widest first."""


@dataclass(frozen=True)
class Machine:
    """The properties of a machine that kernels depend on.

    Attributes:
        processor: name of the processor, or its architecture if the system has no name.
        instructions: the widest known set of instructions, such as "avx2"; empty if unknown.
        cores: processors that this process may use.
    """

    processor: str
    instructions: str
    cores: int

    def __str__(self) -> str:
        known = f", {self.instructions}" if self.instructions else ""
        return f"{self.processor}{known}, {self.cores} core{'s' if self.cores > 1 else ''}"


@cache
def machine() -> Machine:
    """Return the machine that this process runs on.

    Example:
        >>> machine().cores > 0
        True
    """
    facts = _facts()
    model = facts.get("model name") or platform.processor() or platform.machine()
    parts = (facts.get(key, "") for key in ("cpu family", "model", "stepping"))
    number = "-".join(part for part in parts if part)
    found = set((facts.get("flags") or facts.get("Features") or "").split())
    widest = next((name for name in INSTRUCTIONS if name in found), "")
    return Machine(f"{model} ({number})" if number else model, widest, _cores())


def _facts() -> dict[str, str]:
    """Return Linux's data of the first processor; empty on other systems."""
    try:
        first = CPUINFO.read_text(encoding="utf-8").partition("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

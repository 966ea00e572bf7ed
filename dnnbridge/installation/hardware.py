"""The machine: processor, memory, GPUs of NVIDIA and NPUs of Ascend, by their own commands."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dnnbridge.installation.finding import Finding
from dnnbridge.installation.installed import Installed
from dnnbridge.installation.known_bad import TOOLKITS

Ask = Callable[[Sequence[str]], str]
"""Runs a command and returns what it prints; empty if there is no such command or it fails."""

SECONDS = 20.0
"""The longest that such a command may take."""

CANN = ("ASCEND_HOME_PATH", "ASCEND_TOOLKIT_HOME", "ASCEND_OPP_PATH")
"""Variables that CANN's set_env.sh sets."""

SET_ENV = "source /usr/local/Ascend/ascend-toolkit/set_env.sh"


@dataclass(frozen=True)
class Accelerators:
    """What the system says of accelerators, without a framework.

    Attributes:
        gpus: name, driver and memory of each GPU, as nvidia-smi prints them.
        cuda: the newest CUDA that the driver supports; empty if unknown.
        toolkit: the version of the CUDA toolkit, by nvcc; empty if there is none.
        npus: a line for each NPU, as npu-smi prints it.
        cann: the folder of CANN that the environment names; empty if it names none.
    """

    gpus: tuple[str, ...] = ()
    cuda: str = ""
    toolkit: str = ""
    npus: tuple[str, ...] = ()
    cann: str = ""

    def has(self, kind: str) -> bool:
        """Return whether the machine has a device of a kind, by its own commands."""
        return {"gpu": bool(self.gpus), "ascend": bool(self.npus)}.get(kind, False)


def ask(command: Sequence[str]) -> str:
    """Run a command of the system."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return "" if done.returncode else done.stdout


def accelerators(environment: Mapping[str, str], ask: Ask = ask) -> Accelerators:
    """Ask nvidia-smi, nvcc and npu-smi; each is left out if it is not there."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total"]
    gpus = [line.strip() for line in ask([*query, "--format=csv,noheader"]).splitlines()]
    cuda = re.search(r"CUDA Version:\s*([\d.]+)", ask(["nvidia-smi"])) if any(gpus) else None
    home = environment.get("CUDA_HOME", "")
    compiler = str(Path(home) / "bin" / "nvcc") if home else "nvcc"
    release = re.search(r"release ([\d.]+)", ask([compiler, "--version"]))
    return Accelerators(
        tuple(filter(None, gpus)),
        cuda[1] if cuda else "",
        release[1] if release else "",
        tuple(npu_lines(ask(["npu-smi", "info"]))),
        next((environment[name] for name in CANN if environment.get(name)), ""),
    )


def npu_lines(text: str) -> list[str]:
    """Return a line for each NPU of npu-smi's table: its number, name and health.

    Example:
        >>> npu_lines("| 0     910B3  | OK  | 93.2  48  0 / 0 |\\n| 0   | 0000:C1:00.0 | 0 |")
        ['0 910B3 OK']
    """
    rows = re.finditer(r"^\|\s*(\d+)\s+(\w+)\s*\|\s*([A-Za-z]+)\s*\|", text, re.M)
    return [" ".join(row.groups()) for row in rows]


def accelerator_findings(found: Accelerators, here: Installed) -> list[Finding]:
    """Return what the machine has, and whether the toolkits beside it fit the frameworks."""
    newest = f"; its driver supports CUDA {found.cuda}" if found.cuda else ""
    made = [Finding("note", "GPU", f"{gpu}{newest}") for gpu in found.gpus]
    made += [Finding("note", "NPU", npu) for npu in found.npus]
    for each in TOOLKITS if found.gpus else ():
        if each.package in here.versions and not found.toolkit.startswith(each.versions):
            seen = f"the toolkit here is {found.toolkit}" if found.toolkit else "no nvcc is found"
            made.append(Finding("warning", each.package, f"{each.what}; {seen}", each.fix))
    if found.npus and not found.cann:
        what = f"there is an NPU, and none of {', '.join(CANN)} is set"
        made.append(Finding("problem", "CANN", what, SET_ENV))
    if found.cann and not os.path.isdir(found.cann):
        what = f"the environment names {found.cann}, which is no folder"
        made.append(Finding("problem", "CANN", what, SET_ENV))
    return made


def memory() -> str:
    """Return the memory of the machine in GiB; empty if the system does not say."""
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return ""
    return f"{size / 2**30:.0f} GiB"

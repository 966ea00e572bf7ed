"""How two trainings were compared, and on what: facts for a page and for JSON."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from dnnbridge.base.machine import machine
from dnnbridge.diagnose.subjects import arrays_of
from dnnbridge.doctor.sides import AbstractSide, Batched

PACKAGES = ("dnnbridge", "numpy", "tensorflow", "keras", "mindspore")
"""Packages that compute numbers of a comparison."""


def setting_of(
    a: AbstractSide, b: AbstractSide, data: Batched, validation: tuple[Any, Any] | None
) -> dict[str, str]:
    """Return what was compared, in words."""
    spec, other = a.experiment, b.experiment
    count = sum(array.size for name, array in a.state().items() if ":" not in name)
    made = {
        "First": _kind(a),
        "Second": _kind(b),
        "Loss": _both(spec.loss, other.loss),
        "Optimizer": _both(spec.optimizer, other.optimizer),
        "Weights": f"{count:,} numbers, with running statistics",
        "Examples": f"{data.count:,}, in their own order",
        "Batch size": f"{data.size:,}, so {data.per_epoch:,} steps in an epoch",
    }
    if validation is not None:
        made["Validation"] = f"{len(arrays_of(validation[0])[0]):,} examples"
    return made


def _kind(side: AbstractSide) -> str:
    """Return what a side is, without "the first" or "the second"."""
    return side.title.partition("(")[2].rstrip(")") or side.title


def _both(here: Any, there: Any) -> str:
    texts = repr(here), repr(there)
    return texts[0] if texts[0] == texts[1] else f"{texts[0]} and {texts[1]}"


def environment() -> Mapping[str, str]:
    """Return the versions of what this process has loaded, and the processor."""
    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        if name in sys.modules:
            try:
                found[name] = version(name)
            except PackageNotFoundError:  # a build under another name
                found[name] = str(getattr(sys.modules[name], "__version__", "unknown"))
    system = f"{platform.system()} {platform.machine()}"
    return {**found, "System": system, "Processor": str(machine())}

"""Find the variants of a backend: ways in which its framework may run on other machines."""

from __future__ import annotations

import os
from dataclasses import dataclass

from dnnbridge.backend.plugins import default_backend, require_backend
from dnnbridge.backend.protocol import BackendInfo, Variant
from dnnbridge.base.messages import close_match
from dnnbridge.errors import BackendError
from dnnbridge.training.compiling import BACKEND_VARIABLE, DEVICE_VARIABLE

ALL = "all"


@dataclass(frozen=True)
class Asked:
    """A variant of a backend on a device."""

    backend: str
    device: str
    variant: Variant


def variants(backend: str | None, device: str | None, names: str) -> list[Asked]:
    """Return the variants that are named, of each of the backends; imports no framework.

    Args:
        backend: names, separated by commas.
        device: kind; by default what the environment says, or the CPU.
        names: of variants, separated by commas, or "all" that the device knows.

    Raises:
        BackendError: a backend has no such variant, or the device does not know it.
    """
    given = backend or os.environ.get(BACKEND_VARIABLE) or default_backend()
    kind = device or os.environ.get(DEVICE_VARIABLE) or "cpu"
    made = []
    for each in dict.fromkeys(name.strip() for name in given.split(",")):
        info = require_backend(each)
        known = {v.name: v for v in info.variants if kind in v.devices}
        wanted = known if names == ALL else dict.fromkeys(name.strip() for name in names.split(","))
        made += [Asked(each, kind, _known(info, known, name, kind)) for name in wanted]
    return made


def _known(info: BackendInfo, known: dict[str, Variant], name: str, device: str) -> Variant:
    if name not in known:
        hint = close_match(name, known) if known else "Leave --variant out."
        raise BackendError(
            f"backend {info.name} has no such variant on {device}",
            where="--variant",
            got=repr(name),
            hint=hint,
        )
    return known[name]

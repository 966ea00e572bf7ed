"""Find the variants of a backend: configurations of its framework, as on other machines."""

from __future__ import annotations

import os
from dataclasses import dataclass

from dnnbridge.backend.device import Device, device_kind
from dnnbridge.backend.plugins import default_backend, require_backend
from dnnbridge.backend.protocol import BackendInfo, Variant
from dnnbridge.base.messages import close_match
from dnnbridge.errors import BackendError
from dnnbridge.training.compiling import BACKEND_VARIABLE, asked_device

ALL = "all"


@dataclass(frozen=True)
class Asked:
    """A variant of a backend on a device."""

    backend: str
    device: str
    variant: Variant


def variants(backend: str | None, device: str | None, names: str) -> list[Asked]:
    """Return the named variants of each backend; imports no framework.

    Args:
        backend: comma-separated names of backends.
        device: name of the device; by default the environment variable, or the CPU.
        names: comma-separated names of variants, or "all" for all of the device.

    Raises:
        BackendError: a backend has no such variant on the device.
    """
    given = backend or os.environ.get(BACKEND_VARIABLE) or default_backend()
    asked, _ = asked_device(device)
    chosen = str(asked or Device("cpu"))
    kind = device_kind(chosen)
    made = []
    for each in dict.fromkeys(name.strip() for name in given.split(",")):
        info = require_backend(each)
        known = {v.name: v for v in info.variants if kind in v.devices}
        wanted = known if names == ALL else dict.fromkeys(name.strip() for name in names.split(","))
        made += [Asked(each, chosen, _known(info, known, name, kind)) for name in wanted]
    return made


def _known(info: BackendInfo, known: dict[str, Variant], name: str, device: str) -> Variant:
    if name not in known:
        hint = close_match(name, known) if known else "Remove --variant."
        raise BackendError(
            f"backend {info.name} has no such variant on {device}",
            where="--variant",
            got=repr(name),
            hint=hint,
        )
    return known[name]

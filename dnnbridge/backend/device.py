"""The words for devices, such as "gpu:1", and the check that a device is there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dnnbridge.base.messages import what
from dnnbridge.errors import DeviceError, DTypeError

if TYPE_CHECKING:
    from dnnbridge.backend.protocol import BackendInfo

WORD = re.compile(r"([a-z][a-z0-9_]*)(?::(0|[1-9][0-9]{0,3}))?")
"""A kind of device, and with a colon which one of its kind, counted from 0."""

ELSEWHERE = {"cuda": "gpu", "npu": "ascend", "nvidia": "gpu", "rocm": "gpu"}
"""Kinds of device by the names that other libraries give them."""

PREFIX = re.compile(r"/?(?:(?:physical_|logical_)?device:)?")
"""What TensorFlow writes before the name of a device."""


@dataclass(frozen=True)
class Device:
    """A device of a machine.

    Attributes:
        kind: "cpu", "gpu", "ascend", or a word of a third party's backend.
        index: which one of its kind, counted from 0.

    Example:
        >>> str(Device("gpu", 1)), str(Device("gpu"))
        ('gpu:1', 'gpu')
    """

    kind: str
    index: int = 0

    def __str__(self) -> str:
        return f"{self.kind}:{self.index}" if self.index else self.kind


def parse_device(text: str, where: str = "device") -> Device:
    """Read the name of a device.

    Args:
        text: a kind, which means the first of that kind, or a kind and a number: "gpu:1".
        where: the argument or variable that holds it, for the error.

    Raises:
        DeviceError: it is no such name. Upper case is refused, as in the name of a backend.
        DTypeError: it is not a text.

    Example:
        >>> parse_device("ascend:3")
        Device(kind='ascend', index=3)
    """
    if not isinstance(text, str):
        hint = 'Write "cpu", "gpu", "ascend", or "gpu:1" for the second one.'
        raise DTypeError("a device is a text", where=where, got=what(text), hint=hint)
    found = WORD.fullmatch(text)
    if found is None or found[1] in ELSEWHERE:
        raise DeviceError(
            "not the name of a device", where=where, got=repr(text), hint=_meant(text)
        )
    return Device(found[1], int(found[2] or 0))


def device_kind(device: str) -> str:
    """Return the kind of a device: "gpu" for "gpu:1"."""
    return device.partition(":")[0]


def names_of(kind: str, count: int) -> tuple[str, ...]:
    """Return the names of some devices of a kind, for `Backend.devices`.

    Example:
        >>> names_of("gpu", 3)
        ('gpu', 'gpu:1', 'gpu:2')
    """
    return tuple(str(Device(kind, index)) for index in range(count))


def check_kind(
    info: BackendInfo, device: Device, where: str = "device", others: Sequence[BackendInfo] = ()
) -> None:
    """Raise unless a backend can use devices of this kind on some machine.

    Args:
        info: the description of the backend.
        device: what is asked for.
        where: the argument or variable that holds it, for the error.
        others: descriptions of the other backends, to name those that can.
    """
    if device.kind in info.devices:
        return
    able = [each.name for each in others if device.kind in each.devices]
    hint = f"It knows {', '.join(info.devices)}."
    if able:
        hint += f" For {device.kind} choose backend {' or '.join(able)}."
    raise DeviceError(
        f"backend {info.name} has no such device", where=where, got=repr(str(device)), hint=hint
    )


def check_seen(
    info: BackendInfo, device: Device, seen: Sequence[str], where: str, reason: str
) -> None:
    """Raise unless a device is among those that a backend sees.

    Args:
        info: the description of the backend.
        device: what is asked for.
        seen: names of the devices that it sees here.
        where: the argument or variable that holds it, for the error.
        reason: why it sees none of this kind and what to do, if that is known.
    """
    if str(device) in seen:
        return
    count = sum(device_kind(each) == device.kind for each in seen)
    said = f"sees no {device.kind} here"
    if count:
        said = f"sees only {count} {device.kind} here"
        reason = f"They are counted from 0: the last is '{names_of(device.kind, count)[-1]}'."
    usable = f"Usable here: {', '.join(seen)}."
    advice = f"`dnnbridge doctor --backend {info.name}` checks the installation."
    raise DeviceError(
        f"backend {info.name} {said}",
        where=where,
        got=repr(str(device)),
        hint=" ".join(part for part in (usable, "" if count else advice, reason) if part),
    )


def _meant(text: Any) -> str:
    """Say what was probably meant by a wrong name."""
    kind, colon, index = PREFIX.sub("", text.strip().lower(), count=1).partition(":")
    better = f"{ELSEWHERE.get(kind, kind)}{colon}{index}"
    if WORD.fullmatch(better):
        return f"Write '{better}'."
    return 'Write "cpu", "gpu", "ascend", or "gpu:1" for the second one.'

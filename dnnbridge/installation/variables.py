"""The environment variables of dnnbridge: misspelt names and bad values."""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from dnnbridge.backend.device import check_kind, parse_device
from dnnbridge.backend.kernel_variable import VARIABLE, check_kernels
from dnnbridge.backend.plugins import all_described
from dnnbridge.base.messages import close_match
from dnnbridge.errors import BackendError, DeviceError
from dnnbridge.installation.finding import Finding

PREFIX = "DNNBRIDGE_"

Check = Callable[[str, Mapping[str, str]], str]
"""Returns what is wrong with a value, given all variables; empty if nothing is."""


def variable_findings(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Yield the variables that nothing reads, and those with a value that will be refused."""
    for name in sorted(environment):
        if not name.startswith(PREFIX):
            continue
        if name not in VARIABLES:
            yield _unknown(name, environment[name])
        elif environment[name] and (wrong := VARIABLES[name](environment[name], environment)):
            yield Finding("problem", name, wrong, f"unset {name}")


def _unknown(name: str, value: str) -> Finding:
    near = difflib.get_close_matches(name, VARIABLES, 1)
    if near:
        what = f"nothing reads it; {near[0]} is probably meant"
        return Finding("warning", name, what, f"unset {name}; export {near[0]}={value!r}")
    return Finding("note", name, "dnnbridge does not read it", f"unset {name}")


def _backend(value: str, _: Mapping[str, str]) -> str:
    names = [info.name for info in all_described()[0]]
    return (
        "" if value in names else f"no backend has the name {value!r}. {close_match(value, names)}"
    )


def _device(value: str, environment: Mapping[str, str]) -> str:
    infos = all_described()[0]
    chosen = environment.get("DNNBRIDGE_BACKEND")
    try:
        device = parse_device(value, "it")
        for info in infos:
            if info.name == chosen:
                check_kind(info, device, "it", infos)
    except DeviceError as error:
        return str(error).removeprefix("it: ").removesuffix(".")
    if not any(device.kind in info.devices for info in infos):
        return f"no backend has a device {value!r}"
    return ""


def _existing(value: str, _: Mapping[str, str]) -> str:
    return "" if Path(value).exists() else f"{value} does not exist"


def _whole(value: str, _: Mapping[str, str]) -> str:
    return "" if value.isdecimal() else f"it must be a whole number, and is {value!r}"


def _kernels(value: str, _: Mapping[str, str]) -> str:
    try:
        check_kernels(value.strip(), all_described()[0])
    except BackendError as error:
        return str(error).removeprefix(f"{VARIABLE}: ").removesuffix(".")
    return ""


def _folder(value: str, _: Mapping[str, str]) -> str:
    return "" if is_writable(Path(value)) else f"{value} cannot be written"


def is_writable(folder: Path) -> bool:
    """Return whether a folder can be written, or made if it does not exist."""
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            return True
    except OSError:
        return False


def _one_of(*words: str) -> Check:
    said = ", ".join(words)
    return lambda value, _: "" if value in words else f"it must be one of {said}, and is {value!r}"


def _address(value: str, _: Mapping[str, str]) -> str:
    host, _colon, port = value.rpartition(":")
    good = bool(host) and port.isdecimal()
    return "" if good else f"it must be host:port, and is {value!r}"


def _addresses(value: str, environment: Mapping[str, str]) -> str:
    wrong = (_address(each, environment) for each in value.split(","))
    return next(filter(None, wrong), "")


VARIABLES: dict[str, Check] = {
    "DNNBRIDGE_ATTEMPT": _whole,
    "DNNBRIDGE_BACKEND": _backend,
    "DNNBRIDGE_COORDINATOR": _address,
    "DNNBRIDGE_DATA": _existing,
    "DNNBRIDGE_DETERMINISTIC": _one_of("0", "1"),
    "DNNBRIDGE_DEVICE": _device,
    "DNNBRIDGE_KERNELS": _kernels,
    "DNNBRIDGE_MEETING_SECONDS": _whole,
    "DNNBRIDGE_MINDSPORE_CACHE": _folder,
    "DNNBRIDGE_RANDOM_PROGRAMS": _whole,
    "DNNBRIDGE_RANK": _whole,
    "DNNBRIDGE_RESIDENT_MIB": _whole,
    "DNNBRIDGE_TENSORFLOW_TF32": _one_of("0", "1"),
    "DNNBRIDGE_TENSORFLOW_XLA": _one_of("0", "1", "all"),
    "DNNBRIDGE_WORKERS": _addresses,
}
"""Every variable that dnnbridge, its backends and its tests read."""

"""The devices that MindSpore sees, and the one that the process uses."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from typing import Any

import mindspore as ms

from dnnbridge.backend import DeviceError, names_of, parse_device

TARGETS = {"cpu": "CPU", "gpu": "GPU", "ascend": "Ascend"}
"""The kinds of device as MindSpore writes them."""

SIMULATED = "MS_SIMULATION_LEVEL"
"""Environment variable of MindSpore: compile for an Ascend device that is not there."""

_set_here: list[str] = []
"""The device that `set_device` has set in this process, if it has."""


def seen() -> tuple[str, ...]:
    """Return the devices of this machine, accelerators first.

    Asking sets no device and starts none: the plugins were loaded on import.
    """
    return (*names_of("ascend", _count("ascend")), *names_of("gpu", _count("gpu")), "cpu")


def _count(kind: str) -> int:
    """Return how many devices there are; a plugin that loads may still find none."""
    if not _available(kind):
        return 0
    context: Any = getattr(ms.device_context, kind)
    simulated = kind == "ascend" and bool(os.environ.get(SIMULATED))
    return max(int(context.device_count()), int(simulated))


def _available(kind: str) -> bool:
    """Return whether the plugin of a kind was loaded, which is settled when MindSpore is imported.

    MindSpore logs five lines of warnings wherever it was not.
    """
    context: Any = getattr(ms.device_context, kind)
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        return bool(context.is_available())
    finally:
        logging.disable(before)


def set_device(device: str) -> None:
    """Set the device of the process; MindSpore allows this only before its first operation.

    A kind without a number is also what the process has set itself, whatever its number.
    """
    asked = parse_device(device)
    _set(device, TARGETS[asked.kind], asked.index)
    if asked.kind == "ascend":
        _keep_float32()


def _set(device: str, target: str, wanted: int) -> None:
    now, index = ms.get_context("device_target"), ms.get_context("device_id")
    if now == target and (index == wanted or not (wanted or _set_here)):
        return
    try:
        ms.set_device(target, wanted)
    except RuntimeError as error:
        raise DeviceError(
            "MindSpore supports only one device per process",
            where="device",
            got=f"{target}:{wanted} after {now}:{index} ({str(error).splitlines()[0]})",
            hint="Compile for this device first, or in a new process.",
        ) from error
    _set_here[:] = [device]


def _keep_float32() -> None:
    """Turn HF32 off, in which an Ascend else computes convolutions; a setting of the user stays."""
    precision: Any = ms.device_context.ascend.op_precision
    for allow in (precision.conv_allow_hf32, precision.matmul_allow_hf32):
        with suppress(RuntimeError):  # it can be set only once
            allow(False)


def facts() -> dict[str, str]:
    """Return the name of the accelerator that the process uses, if it uses one."""
    target = ms.get_context("device_target")
    if target == "CPU":
        return {}
    if target == "Ascend" and os.environ.get(SIMULATED):
        return {"device": "simulated Ascend"}
    return {"device": str(ms.hal.get_device_name(ms.get_context("device_id"), target))}


def missing(kind: str) -> str:
    """Return why MindSpore sees no device of a kind, and what to do."""
    if kind == "gpu":
        return (
            "MindSpore's GPU plugins need CUDA 11.1 or 11.6 with cuDNN 8, and CUDA_HOME must name "
            "the folder whose bin/nvcc has that version."
        )
    if not (os.environ.get("ASCEND_HOME_PATH") or os.environ.get("ASCEND_OPP_PATH")):
        return (
            "MindSpore needs CANN, and no variable of CANN is set. If it is installed run: "
            "source /usr/local/Ascend/ascend-toolkit/set_env.sh"
        )
    if _available("ascend"):
        return "CANN is loaded, and no NPU answers. Run: npu-smi info"
    return (
        "The variables of CANN are set, and MindSpore could not load it: its version may not fit. "
        "Run: python -c 'import mindspore; mindspore.run_check()'"
    )

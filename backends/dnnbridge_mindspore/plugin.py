"""Entry point of the MindSpore backend; imports MindSpore only when the backend is loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from dnnbridge.backend import (
    Backend,
    BackendInfo,
    BackendPlugin,
    KernelGroup,
    ReadNative,
    RealType,
    Variant,
    is_deterministic,
)
from dnnbridge_mindspore.meeting import start_scheduler

VARIANTS = (
    Variant("one-thread", (("OMP_NUM_THREADS", "1"),), "one core and one thread", cores=1),
    Variant("four-threads", (("OMP_NUM_THREADS", "4"),), "four threads per kernel"),
    Variant("native", (("DNNBRIDGE_KERNELS", "mindspore.conv=native"),), "native convolutions"),
    Variant("slices", (("DNNBRIDGE_KERNELS", "mindspore.conv=slices"),), "convolutions by slices"),
)

INFO = BackendInfo(
    name="mindspore",
    modules=("mindspore",),
    distributions=("mindspore",),
    install="pip install 'dnnbridge[mindspore]'",
    devices=("cpu", "gpu", "ascend"),
    natives=("mindspore",),
    reuses=True,
    by_rows=True,
    workers=("processes",),
    priority=20,
    variants=VARIANTS,
    noise=("Memory not enough:", "Model execution error:"),
    reals=(
        RealType("float16"),
        RealType("bfloat16", ("gpu", "ascend")),
        RealType("float64", ("cpu",)),
    ),
    recomputes=True,
    kernels=(KernelGroup("mindspore.conv", ("native", "slices")),),
)


def _load() -> Backend:
    os.environ.setdefault("GLOG_v", "3")
    start_scheduler()
    from dnnbridge_mindspore.backend import MindSporeBackend

    return MindSporeBackend()


def _natives() -> ReadNative:
    from dnnbridge_mindspore.native_optimizers import read

    return read


def _facts() -> Mapping[str, str]:
    made = {"threads": os.environ.get("OMP_NUM_THREADS") or "one per core"}
    if is_deterministic():
        made["deterministic"] = "on"
    if "mindspore" not in sys.modules:
        return made
    from dnnbridge_mindspore.devices import facts

    return {**made, **facts()}


def _missing(kind: str) -> str:
    from dnnbridge_mindspore.devices import missing

    return missing(kind)


PLUGIN = BackendPlugin(INFO, _load, _natives, _facts, _missing)

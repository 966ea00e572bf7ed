"""What the commands of the system say of accelerators."""

from __future__ import annotations

import sys

import pytest

from dnnbridge.installation.hardware import (
    Accelerators,
    accelerator_findings,
    accelerators,
    ask,
    npu_lines,
)
from dnnbridge.installation.installed import Installed

SMI = """+-----------------------------------------------------------------------------+
| NVIDIA-SMI 535.104.05   Driver Version: 535.104.05   CUDA Version: 12.2     |
"""
NVCC = "nvcc: NVIDIA (R) Cuda compiler driver\nCuda compilation tools, release 11.6, V11.6.124\n"
NPU = """+------------------------------------------------------------------------------------+
| npu-smi 24.1.rc2                 Version: 24.1.rc2                                  |
+---------------------------+---------------+----------------------------------------+
| NPU   Name                | Health        | Power(W)    Temp(C)                    |
| Chip                      | Bus-Id        | AICore(%)   Memory-Usage(MB)           |
+===========================+===============+========================================+
| 0     910B3               | OK            | 93.2        48                          |
| 0                         | 0000:C1:00.0  | 0           0    / 0                    |
| 1     910B3               | Warning       | 93.2        48                          |
| 0                         | 0000:C2:00.0  | 0           0    / 0                    |
"""


def answering(command):
    if command[0] == "nvidia-smi":
        return "NVIDIA H200, 535.104.05, 143771 MiB\n" if len(command) > 1 else SMI
    if command[0].endswith("nvcc"):
        return NVCC if command[0] in ("nvcc", "/cuda/bin/nvcc") else ""
    return NPU


def test_nothing_there():
    assert accelerators({}, lambda command: "") == Accelerators()
    assert not Accelerators().has("gpu")


def test_everything_there():
    found = accelerators({"CUDA_HOME": "/cuda", "ASCEND_OPP_PATH": "/cann/opp"}, answering)
    assert found.gpus == ("NVIDIA H200, 535.104.05, 143771 MiB",)
    assert (found.cuda, found.toolkit, found.cann) == ("12.2", "11.6", "/cann/opp")
    assert found.npus == ("0 910B3 OK", "1 910B3 Warning")
    assert found.has("gpu")
    assert found.has("ascend")
    assert not found.has("tpu")


def test_cuda_home_names_the_toolkit():
    assert accelerators({"CUDA_HOME": "/other"}, answering).toolkit == ""


def test_no_line_of_text_is_an_npu():
    assert npu_lines("DrvMngGetConsoleLogLevel failed. (ret=4)\n| NPU  Name | Health |\n") == []


def test_a_command_that_is_not_there_or_fails_says_nothing():
    assert ask(["no-such-command-here"]) == ""
    assert ask([sys.executable, "-c", "print(1); raise SystemExit(9)"]) == ""
    assert ask([sys.executable, "-c", "print(1)"]) == "1\n"


MINDSPORE = Installed({"mindspore": "2.10.0"}, {})
GPU = ("a GPU",)
FOUND = {
    "plain": (Accelerators(), []),
    "gpu": (Accelerators(gpus=GPU, toolkit="11.6"), [("note", "GPU", "")]),
    "new-cuda": (
        Accelerators(gpus=GPU, toolkit="13.0"),
        [("note", "GPU", ""), ("warning", "mindspore", "export CUDA_HOME=/usr/local/cuda-11.6")],
    ),
    "no-nvcc": (
        Accelerators(gpus=GPU),
        [("note", "GPU", ""), ("warning", "mindspore", "export CUDA_HOME=/usr/local/cuda-11.6")],
    ),
    "no-gpu": (Accelerators(toolkit="13.0"), []),
    "no-cann": (
        Accelerators(npus=("0 910B3 OK",)),
        [
            ("note", "NPU", ""),
            ("problem", "CANN", "source /usr/local/Ascend/ascend-toolkit/set_env.sh"),
        ],
    ),
    "npu": (Accelerators(npus=("0 910B3 OK",), cann="/"), [("note", "NPU", "")]),
    "lost-cann": (
        Accelerators(cann="/no/such/cann"),
        [("problem", "CANN", "source /usr/local/Ascend/ascend-toolkit/set_env.sh")],
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_findings(name):
    system, expected = FOUND[name]
    made = accelerator_findings(system, MINDSPORE)
    assert [(each.level, each.about, each.fix) for each in made] == expected


def test_the_driver_is_said():
    (finding,) = accelerator_findings(Accelerators(gpus=GPU, cuda="12.2"), Installed({}, {}))
    assert finding.what == "a GPU; its driver supports CUDA 12.2"


def test_without_mindspore_its_toolkit_does_not_matter():
    system = Accelerators(gpus=GPU, toolkit="13.0")
    assert [each.about for each in accelerator_findings(system, Installed({}, {}))] == ["GPU"]

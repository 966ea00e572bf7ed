"""MindSpore's tables for accelerators: native operations in the source, with the same meaning.

A processor of Ascend is not needed: the operations have kernels on the CPU too. These are less
exact there, which is why the CPU has tables of its own.
"""

from __future__ import annotations

import math
import re

import pytest

import dnnbridge as db
from dnnbridge import ops, zoo
from dnnbridge.backend.plugins import load_backend
from dnnbridge.program.program import Program
from dnnbridge.testing.cases.op_cases import OP_CASES
from dnnbridge.testing.checks import Check, all_checks, select
from dnnbridge.testing.harness import build_case
from dnnbridge.testing.subject import Subject

pytest.importorskip("mindspore")

from dnnbridge_mindspore.claims import CLAIMS
from dnnbridge_mindspore.devices import set_device
from dnnbridge_mindspore.executable import MindSporeExecutable
from dnnbridge_mindspore.generator import generate
from dnnbridge_mindspore.lowerings import LOWERINGS
from dnnbridge_mindspore.native_lowerings import ON_ACCELERATOR
from dnnbridge_mindspore.tables import ACCELERATOR, CPU, DOUBLE, tables_of

BACKEND = load_backend("mindspore")

NATIVE = {
    *("AllReduceGradient", "AllReduceSum", "AvgPool", "BatchMatMul", "BatchNormalization"),
    *("Biased", "Conv", "ConvTranspose", "GATHER", "LayerNorm", "MatMul", "MaxPool"),
    *("NativeChannels", "NativeConv3D", "NativePad", "NativeTranspose3D", "OneByOne", "PutRows"),
    *(
        "Rows",
        "SparseCrossEntropy",
        "Square",
        "SumRepeats",
        "TRANSPOSE",
        "Take",
        "Unbiased",
        "ZEROS",
    ),
}
"""Cells that an accelerator may have: one native operation, or a meaning that MindSpore lacks."""

MODELS = {
    "mlp": lambda: zoo.mlp((6, 5), (8, 7), 3, "tanh"),
    "lenet5": lambda: zoo.lenet5(classes=3),
    "vgg11": lambda: zoo.vgg11((32, 32, 3), 3, (16, 16), "silu"),
    "resnet20": lambda: zoo.resnet_cifar(20, (32, 32, 3), 3),
    "resnet50": lambda: zoo.resnet50((64, 64, 3), 3),
    "lstm": lambda: zoo.lstm_classifier(50, 12, 3, 8, 8),
    "transformer": lambda: zoo.transformer_classifier(50, 12, 3, 8, 2, 16, 2),
    "autoencoder": lambda: zoo.autoencoder((6, 5), (9, 3)),
    "generator": lambda: zoo.dcgan().generator,
    "discriminator": lambda: zoo.dcgan().discriminator,
}


def sources(name, tables):
    """Return the generated source of every function of a training."""
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    if name in ("autoencoder", "generator", "discriminator"):
        loss = db.MeanSquaredError()
    experiment = db.Experiment(MODELS[name](), loss, db.Adam(1e-3))
    functions = experiment.program().functions.values()
    return "\n".join(generate(function, tables)[0] for function in functions)


def cells(source):
    return set(re.findall(r"kernels\.(\w+)", source))


@pytest.mark.parametrize("name", MODELS)
def test_no_detour_of_the_cpu_is_in_the_source_for_an_accelerator(name):
    source = sources(name, ACCELERATOR)
    assert cells(source) <= NATIVE
    if name in ("lenet5", "vgg11"):
        assert "kernels.Conv((" in source


def test_no_operation_has_a_detour():
    for case in OP_CASES:
        for function in build_case(case).program.functions.values():
            assert cells(generate(function, ACCELERATOR)[0]) <= NATIVE, case.id


def test_the_check_finds_detours_in_the_source_for_the_cpu(monkeypatch):
    monkeypatch.setenv("DNNBRIDGE_KERNELS", "mindspore.conv=slices")
    found = cells(sources("lenet5", CPU)) - NATIVE
    assert {"ConvSlices", "Tanh", "SumFirst"} & found
    assert "ChannelsLast" in cells(sources("resnet20", CPU))


def test_the_kind_of_the_device_and_the_type_choose_the_tables(monkeypatch):
    from dnnbridge_mindspore import backend as module

    assert (CPU.lowerings, CPU.claims) == (LOWERINGS, CLAIMS)
    assert tables_of("cpu") is CPU
    given = []
    monkeypatch.setattr(module, "set_device", lambda device: None)
    monkeypatch.setattr(module, "MindSporeExecutable", lambda program, tables: given.append(tables))
    for device in ("cpu", "ascend", "ascend:3", "gpu:1"):
        BACKEND.compile(Program({}), device)
    BACKEND.compile(Program({}, variable_dtype="float64"), "cpu")
    assert given == [CPU, ACCELERATOR, ACCELERATOR, ACCELERATOR, DOUBLE]
    assert ACCELERATOR.lowerings.keys() == LOWERINGS.keys()


class Native(type(BACKEND)):
    """The backend with the tables of an accelerator on the CPU."""

    def compile(self, program, device):
        set_device("cpu")
        return MindSporeExecutable(program, ACCELERATOR)


KERNEL = 1e-3
"""Error of the CPU's native kernels; the largest is 5e-4, of tanh."""

WRONG_ON_THE_CPU = re.compile(r"limits|nan|-ends|infinite|Expm1-relative|Softplus-relative")
"""Cases with NaN, infinite or small numbers that the CPU's native kernels compute wrongly."""

CLAIMED = {
    *("BatchNormalization", "BatchNormalization-images", "BatchNormalization-short"),
    *("LayerNormalization", "LayerNormalization-two_axes"),
}
"""Checks of layers that an accelerator computes with kernels of its own."""

NATIVE_SUBJECT = Subject(Native())


def operations() -> list[Check]:
    """Return one check of each operation that an accelerator computes otherwise."""
    found: dict[str, Check] = {}
    for check in all_checks():
        if check.area != "operation" or WRONG_ON_THE_CPU.search(check.id):
            continue
        if getattr(ops, check.entry) in ON_ACCELERATOR:
            found.setdefault(check.entry, check)
    return list(found.values())


def compare(check: Check) -> None:
    for each in check.measure(NATIVE_SUBJECT):
        assert each.error <= max(each.tolerance, KERNEL), f"{check.id}: {each}"
        assert not math.isnan(each.error)


@pytest.mark.parametrize("check", operations(), ids=lambda check: check.id)
def test_a_native_operation_has_the_meaning_of_core(check):
    compare(check)


@pytest.mark.parametrize(
    "check", [check for check in all_checks() if check.id in CLAIMED], ids=lambda check: check.id
)
def test_a_kernel_of_a_layer_has_the_meaning_of_core(check):
    compare(check)


def quick(*areas: str) -> list[Check]:
    every = select(all_checks(), quick=True)
    return [c for c in every if c.area in areas and not WRONG_ON_THE_CPU.search(c.id)]


@pytest.mark.slow
@pytest.mark.parametrize("check", quick("layer", "activation", "loss"), ids=lambda c: c.id)
def test_an_entry_has_the_meaning_of_core(check):
    compare(check)

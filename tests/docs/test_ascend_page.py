"""The table of Ascend: what it counts, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ascend.subjects import one_of_each, subjects
from pages import ascend

from dnnbridge import ops
from dnnbridge.testing.recorded import to_json
from dnnbridge.testing.running import Conformance, Outcome

VERSIONS = {"mindspore": "2.10.0", "device": "Ascend910B2"}
FOUND = Conformance(
    "mindspore",
    "ascend",
    VERSIONS,
    (
        Outcome("operation", "Tanh", "Tanh-wide", "passed", 0.1),
        Outcome("operation", "Tanh", "Tanh-relative", "failed", 0.1),
        Outcome("layer", "layer.Dense", "Dense", "passed", 0.1),
    ),
)


def reports(folder, found):
    (folder / "one.json").write_text(to_json([found]))
    return ascend.hardware(folder)


def test_reports_of_hardware_are_counted(tmp_path):
    pytest.importorskip("mindspore")
    found = reports(tmp_path, FOUND)
    entries = {
        "operation/Tanh": {"cases": 9, "compiled": 9},
        "operation/Exp": {"cases": 4, "compiled": 3, "faults": ["Exp-wide: Exp: the CPU"]},
        "layer/Dense": {"cases": 2, "compiled": 2},
    }
    row = ascend._operation(ops.Tanh, entries, found)
    assert row == "| Tanh | `Tanh` | yes | all 9 | 1 of 2 |\n"
    assert ascend._operation(ops.Exp, entries, found) == "| Exp | `Exp` | yes | 3 of 4 |  |\n"
    assert ascend._operation(ops.Log, entries, []) == "| Log | `Log` | yes | not yet |  |\n"
    assert ascend._area("layer", entries, found) == "| layer | 1 | 2 | all 2 | 1 of 1 |\n"
    assert "- operation Exp: Exp-wide: Exp: the CPU" in ascend._faults(entries)


@pytest.mark.parametrize(
    "found",
    [
        replace(FOUND, device="cpu"),
        replace(FOUND, versions=VERSIONS | {"device": "simulated Ascend"}),
    ],
    ids=["cpu", "simulated"],
)
def test_what_is_not_of_an_ascend_is_no_result_of_hardware(found, tmp_path):
    with pytest.raises(ValueError, match="not of an Ascend"):
        reports(tmp_path, found)


def test_all_that_was_compiled_had_kernels_of_an_ascend():
    kept = json.loads(ascend.SIMULATION.read_text("utf-8"))["entries"]
    assert not {name: entry for name, entry in kept.items() if "faults" in entry}
    known = {f"{each.area}/{each.entry}" for each in one_of_each(subjects())}
    assert {name for name in kept if name not in known} == set()
    assert {f"operation/{op.__name__}" for op in ops.PRIMITIVES} <= kept.keys()

"""Everything compiles for a simulated Ascend processor, with Ascend's kernels and by its rules.

The simulation needs no CANN and no NPU: `stub_cann.py` builds a stub. A machine on which it cannot
be built skips these tests. The numbers are all 0, so this says nothing about them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ascend import ir, simulation, stub_cann
from ascend.subjects import one_of_each, precisions, subjects

import dnnbridge as db
from dnnbridge import zoo

pytest.importorskip("mindspore")

EVERY = subjects()
AREAS = list(dict.fromkeys(subject.area for subject in EVERY))
ROOT = Path(__file__).parents[2]

PLANTED = {
    "no-kernel": "Fmax: Ascend has no kernel, the CPU computes it",
    "float64": "Ascend has no float64",
    "float16": "it is computed in float16",
    "odd-gru": "hidden size that is not divisible by 16",
}
"""What must be found in the Cells of `planted.py`."""


@pytest.fixture(scope="session")
def variables(tmp_path_factory):
    """The variables that make MindSpore use a stub of CANN."""
    if needed := stub_cann.missing():
        pytest.skip(f"the simulation of Ascend needs {needed}")
    return stub_cann.build(tmp_path_factory.mktemp("cann"))


def failed(rows):
    return {row["name"]: row["faults"] for row in rows if row["status"] != "compiled"}


def test_a_training_compiles_and_what_breaks_a_rule_is_found(variables, tmp_path):
    names = ["zoo/mlp/mlp", "operation/Conv/Conv-valid", *(f"planted/{name}" for name in PLANTED)]
    rows = simulation.compile_all(names, variables, tmp_path)
    assert [row["name"] for row in rows] == names
    found = failed(rows)
    assert set(found) == {f"planted/{name}" for name in PLANTED}
    for name, words in PLANTED.items():
        assert any(words in fault for fault in found[f"planted/{name}"]), (name, found)
    conv = rows[1]["primitives"]
    assert {"Conv2D", "Conv2DBackpropFilter", "Conv2DBackpropInput"} <= set(conv)
    assert not {"MatMul", "Concat"} & set(conv), "a convolution is no product of slices here"


def test_a_child_that_hangs_is_killed(monkeypatch):
    monkeypatch.setattr(simulation, "SECONDS", 3)
    command = [sys.executable, "-S", "-c", "print(1, flush=True); import time; time.sleep(60)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert list(simulation._lines(child)) == ["1\n"]
    assert child.returncode == -9


@pytest.mark.slow
@pytest.mark.parametrize("area", AREAS)
def test_every_case_compiles(area, variables, tmp_path):
    names = [subject.name for subject in EVERY if subject.area == area]
    rows = simulation.compile_all(names, variables, tmp_path)
    assert len(rows) == len(names)
    assert not failed(rows)


@pytest.mark.slow
def test_lower_types_compile_and_multiply_themselves(variables, tmp_path):
    names = [subject.name for subject in precisions()]
    rows = simulation.compile_all(names, variables, tmp_path)
    assert [row["name"] for row in rows] == names
    assert not failed(rows)
    lower = {row["name"].split("/", 1)[1]: set(row["float16"]) for row in rows}
    assert lower["mixed_float16/mlp"] == {"Cast", "MatMul"}
    assert {"Conv2D", "Conv2DBackpropFilter"} <= lower["mixed_float16/resnet_cifar"]
    assert not lower["mixed_bfloat16/mlp"]


@pytest.mark.slow
def test_a_worker_of_eight_compiles(variables, tmp_path):
    """The dry run of the examples: its sums over all workers are in the graph."""
    file, graphs = tmp_path / "experiment.json", tmp_path / "graphs"
    graphs.mkdir()
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    file.write_text(db.Experiment(zoo.mlp((6,), (8,), 3), loss, db.SGD(0.1)).to_json())
    environment = simulation.environment(variables) | {"MS_DEV_SAVE_GRAPHS_PATH": str(graphs)}
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "cluster" / "dry_run.py", file],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        preexec_fn=simulation.limited,
    )
    assert "compiled for worker 0 of 8 on ascend" in done.stdout, done.stderr[-2000:]
    assert ir.primitives(graphs)["AllReduce"]
    assert not ir.faults(graphs)


def test_every_entry_is_compiled():
    """Every operation of core and every model of the zoo is among the subjects."""
    entries = {(each.area, each.entry) for each in one_of_each(EVERY)}
    assert {name for area, name in entries if area == "operation"} == {
        op.__name__ for op in db.ops.PRIMITIVES
    }
    models = {name for name in zoo.__all__ if name[0].islower()}
    assert {name for area, name in entries if area == "zoo"} == models

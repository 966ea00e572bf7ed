"""Every entry meets an implementation that is not ours, or says why not."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from oracles.witnesses import WITHOUT, named, witness, witnesses

import dnnbridge as db
from dnnbridge import activations, initializers, layers, losses, metrics, optimizers
from dnnbridge.models import Model, Sequential
from dnnbridge.specs.spec import kind_of, kinds

ROOT = Path(__file__).parents[2]
ORACLES = ROOT / "tests" / "oracles"
BASES = (
    activations.AbstractActivation,
    initializers.AbstractInitializer,
    layers.AbstractLayer,
    losses.AbstractLoss,
    metrics.AbstractMetric,
    optimizers.AbstractOptimizer,
)


def registered():
    return {
        kind_of(cls)
        for base in BASES
        for cls in kinds(base)
        if cls.__module__.startswith("dnnbridge.")
        and ".testing" not in cls.__module__
        and getattr(sys.modules[cls.__module__], cls.__name__, None) is cls  # not of a doctest
    }


def test_every_entry_has_a_witness_or_a_reason():
    met, without = set(witnesses()), set(map(kind_of, WITHOUT))
    assert not met & without
    assert {kind_of(Model), kind_of(Sequential)} <= registered()
    assert met | without == registered(), (
        f"no witness: {registered() - met - without}; unknown: {(met | without) - registered()}"
    )


def test_every_witness_is_a_test_whose_file_names_the_entry():
    for kind, tests in witnesses().items():
        for _, test in tests:
            file, _, name = test.partition("::")
            if file == "test_case_witnesses.py":  # its rows are the cases that bring a witness
                continue
            source = without_witnesses(ORACLES / file)
            assert f"def {name}(" in source, test
            entry = kind.partition(".")[2]
            stem = re.sub(r"[123]D", "", entry)
            dimensions = stem != entry and re.search(rf"{stem}|f.\w*{{axes}}D", source)
            assert re.search(rf"\b{entry}\b", source) or dimensions, (kind, test)


@cache
def without_witnesses(path: Path) -> str:
    """Return the source of a file without what is said of witnesses."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            kept = [d for d in node.decorator_list if not ast.unparse(d).startswith("witness(")]
            node.decorator_list = kept
    return ast.unparse(tree)


def test_the_classes_are_named_or_stand_in_the_rows():
    def test(): ...

    assert witness("papers", db.Adam)(test).witness.kinds == ("optimizer.Adam",)
    assert named(["Conv2D-same"]) == [db.Conv2D]
    with pytest.raises(TypeError, match="test has no spec in its rows: name the classes"):
        witness("papers")(test)
    rows = [db.PiecewiseConstant([1], [0.1, 0.2]), (db.ReLU(), 1), pytest.param(db.ELU, id="elu")]
    kinds = witness("papers")(pytest.mark.parametrize("spec", rows)(test)).witness.kinds
    assert kinds == ("schedule.PiecewiseConstant", "activation.ReLU", "activation.ELU")


def test_collecting_imports_no_framework():
    code = (
        "import sys; from oracles.witnesses import witnesses; assert witnesses()\n"
        "assert not {'tensorflow', 'keras', 'mindspore'} & set(sys.modules)"
    )
    path = os.pathsep.join([str(ORACLES.parent), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)

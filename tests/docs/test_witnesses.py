"""Every entry is compared with an independent implementation, or says why not."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
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


@pytest.mark.parametrize("path", sorted(ORACLES.glob("test_*.py")), ids=lambda path: path.stem)
def test_a_class_that_a_witness_names_is_used_in_the_file(path):
    entries, source = named_and_rest(path)
    for entry in entries:
        stem = re.sub(r"[123]D", "", entry)
        dimensions = stem != entry and re.search(rf"f.\w*{stem}|f.\w*{{axes}}D", source)
        assert re.search(rf"\b{entry}\b", source) or dimensions, entry


def named_and_rest(path: Path) -> tuple[set[str], str]:
    """Return the classes that witnesses in a file name, and its source without witnesses."""
    tree, entries = ast.parse(path.read_text(encoding="utf-8")), set()
    for node in ast.walk(tree):
        for said in [d for d in getattr(node, "decorator_list", ()) if is_witness(d)]:
            entries |= {each.attr for each in said.args if isinstance(each, ast.Attribute)}
            node.decorator_list.remove(said)
    return entries, ast.unparse(tree)


def is_witness(decorator: ast.expr) -> bool:
    return ast.unparse(decorator).startswith("witness(")


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

"""Every entry meets an implementation that is not ours, or says why not."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

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


def table():
    spec = importlib.util.spec_from_file_location("witnesses", ORACLES / "witnesses.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.witnesses(), module.WITHOUT


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
    met, without = table()
    assert not set(met) & set(without)
    assert {kind_of(Model), kind_of(Sequential)} <= registered()
    assert set(met) | set(without) == registered(), (
        f"no witness: {registered() - set(met) - set(without)}; "
        f"unknown: {(set(met) | set(without)) - registered()}"
    )


def test_every_witness_is_a_test_whose_file_names_the_entry():
    for kind, tests in table()[0].items():
        for _, test in tests:
            file, _, name = test.partition("::")
            source = (ORACLES / file).read_text(encoding="utf-8")
            assert f"def {name}(" in source, test
            entry = kind.partition(".")[2]
            stem = re.sub(r"[123]D", "", entry)
            dimensions = stem != entry and re.search(rf"{stem}|f\"\w*{{axes}}D", source)
            assert re.search(rf"\b{entry}\b", source) or dimensions, (kind, test)

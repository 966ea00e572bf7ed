"""A name that dnnbridge does not have gives an AttributeError with our name for it."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys

import pytest

import dnnbridge as db
from dnnbridge.specs import foreign_names as table
from dnnbridge.specs.foreign_names import SHOWN, foreign_names
from dnnbridge.specs.former_names import CLASSES

PACKAGES = ["layers", "losses", "metrics", "optimizers", "ops"]


def text_of(module, name):
    with pytest.raises(AttributeError) as caught:
        getattr(module, name)
    return str(caught.value)


def test_every_row_is_an_error_that_says_so():
    by_name = {}
    for row in foreign_names():
        by_name.setdefault(row.name, []).append(row)
    said = 0
    for name, rows in by_name.items():
        if name in db.__all__ or name in CLASSES or f"dnnbridge.{name}" in sys.modules:
            continue
        text = text_of(db, name)
        assert text.startswith(f"dnnbridge has no {name}: {rows[0].path}")
        for row in rows:
            assert (f" {row.here} here." if row.here else " not here yet.") in text
            assert row.remark in text
            alike = [r.path for r in rows if (r.here, r.remark) == (row.here, row.remark)]
            assert row.path in text or alike.index(row.path) >= SHOWN
        said += 1
    assert said > 900


@pytest.mark.parametrize(
    ("module", "name", "text"),
    [
        ("", "MaxPool2D", "has no MaxPool2D: keras.layers.MaxPool2D is MaxPooling2D here."),
        ("", "LSTMCell", "keras.layers.LSTMCell and mindspore.nn.LSTMCell are not here yet."),
        ("", "preprocess_input", "applications.efficientnet.preprocess_input and 13 more are not"),
        ("", "relu", ": keras.activations.relu is ReLU here. keras.ops.relu is ops.relu here."),
        ("", "conv2d", "has no conv2d. Did you mean Conv2D?"),
        ("", "Desne", "has no Desne. Did you mean Dense"),
        ("", "RemoteMonitr", "has no RemoteMonitr. keras.callbacks.RemoteMonitor is "),
        ("", "Nothing", "has no Nothing. See dir(dnnbridge) for its names."),
        ("layers", "ReLU", "dnnbridge.layers has no ReLU: it is dnnbridge.ReLU."),
        ("layers", "Sigmoidd", "Did you mean dnnbridge.Sigmoid"),
        ("layers", "add", "dnnbridge.layers has no add: keras.layers.add is Add here."),
        ("losses", "Circle", "dnnbridge.losses has no Circle: keras.losses.Circle is not here yet"),
        ("metrics", "Mean", "keras.metrics.Mean is not here yet. fit and evaluate"),
        ("optimizers", "Momentum", "mindspore.nn.Momentum is SGD.mindspore here."),
        ("optimizers", "GroupNorm", "mindspore.nn.GroupNorm is GroupNormalization.mindspore here."),
        ("ops", "add", "dnnbridge.ops has no add: keras.ops.add is x + y here."),
        ("ops", "sigmod", "Did you mean sigmoid"),
        ("ops", "RMSProp", "mindspore.nn.RMSProp is RMSprop.mindspore here."),
    ],
)  # fmt: skip
def test_errors(module, name, text):
    given = importlib.import_module(f"dnnbridge.{module}") if module else db
    assert text in text_of(given, name)


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_ask_the_table(package):
    module = importlib.import_module(f"dnnbridge.{package}")
    assert not hasattr(module, "RemoteMonitor")
    assert f"dnnbridge.{package} has no RemoteMonitor: keras" in text_of(module, "RemoteMonitor")


def test_a_former_name_goes_before_a_foreign_one():
    assert "RMSProp" in {row.name for row in foreign_names()}
    with pytest.warns(db.DnnbridgeWarning, match="RMSProp is called RMSprop now"):
        assert db.RMSProp is db.RMSprop


def test_an_import_says_which_name_is_not_there():
    with pytest.raises(ImportError, match="cannot import name 'MaxPool2D' from 'dnnbridge'"):
        from dnnbridge import MaxPool2D  # noqa: F401


def test_protocols_of_modules_are_as_they_were(monkeypatch):
    monkeypatch.setattr(table, "missing", None)
    for module in [db, *(importlib.import_module(f"dnnbridge.{p}") for p in PACKAGES)]:
        for name in ("__wrapped__", "__deepcopy__", "_private"):
            assert not hasattr(module, name)
        assert getattr(module, "__nothing__", 3) == 3
        doctest.DocTestFinder().find(module)
    assert "MaxPool2D" not in dir(db)
    assert "MaxPooling2D" in dir(db)


def test_the_table_is_read_only_for_an_error():
    code = (
        "import sys, dnnbridge as db; db.Dense; hasattr(db, '__x__')\n"
        "assert 'dnnbridge.specs.foreign_names' not in sys.modules\n"
        "assert not hasattr(db, 'Nothing')\n"
        "assert 'dnnbridge.specs.foreign_names' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

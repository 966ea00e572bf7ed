"""The table of names of Keras and MindSpore has every public name, and its rows are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from oracles.foreign_names.merging import lacking, merged, outdated, written
from oracles.foreign_names.resolving import NAMES, resolved
from oracles.foreign_names.walking import public_names
from oracles.test_native_arguments import NATIVE

import dnnbridge as db
from dnnbridge.specs import foreign_names as table
from dnnbridge.specs.foreign_names import ForeignName, foreign_names

ROWS = foreign_names()
FOUND = public_names()


def test_every_public_name_is_ours_or_in_the_table():
    assert len(FOUND) > 1300
    assert {"keras.ops.sin", "keras.datasets.mnist.load_data", "mindspore.nn.Cell"} <= FOUND.keys()
    assert not lacking(ROWS, FOUND), "run: make names"
    assert not outdated(ROWS), "run: make names"


def test_the_table_is_as_it_is_written():
    text = Path(table.__file__).with_suffix(".tsv").read_text("utf-8")
    assert written(merged(ROWS, FOUND)) == text
    assert len({row.path for row in ROWS}) == len(ROWS)


def test_merging_adds_what_is_lacking_and_keeps_what_is_written():
    class Sub: ...

    class New: ...

    class Tanh: ...

    class Dense: ...

    found = {
        "keras.layers.Subtract": Sub,
        "keras.layers.Sub": Sub,
        "keras.layers.re_shape": Sub,
        "keras.layers.New": New,
        "keras.ops.tanh": Tanh,
        "keras.ops.dense": Dense,
    }
    kept = ForeignName("keras.layers.Old", "Dense", "as it was")
    now_ours = ForeignName("keras.layers.Dense", "", "Wait for it.")
    another = ForeignName("keras.metrics.Accuracy", "", "Accuracy here is that of classes.")
    assert outdated([kept, now_ours, another]) == [now_ours]
    assert merged([kept, now_ours], found) == [
        ForeignName("keras.layers.New", "", ""),
        kept,
        ForeignName("keras.layers.Sub", "Subtract", ""),
        ForeignName("keras.layers.re_shape", "Reshape", ""),
        ForeignName("keras.ops.dense", "", ""),
        ForeignName("keras.ops.tanh", "ops.tanh", ""),
    ]


@pytest.mark.parametrize("here", sorted({row.here for row in ROWS if row.here}))
def test_what_the_table_says_to_write_is_here(here):
    assert resolved(here) is not None


@pytest.mark.parametrize(
    "wrong", ["Desne", "Dense.torch", "Dense(unit=3)", "Softmax(axis='a')", "run.train(x)", "x % y"]
)
def test_what_is_not_here_does_not_resolve(wrong):
    with pytest.raises((KeyError, AttributeError, TypeError, ValueError)):
        resolved(wrong)


@pytest.mark.parametrize("remark", sorted({row.remark for row in ROWS if row.remark}))
def test_names_in_remarks_are_here(remark):
    assert remark.endswith(".")
    for expression in re.findall(r"\b(?:db|numpy|run|model|scope|ops)(?:\.\w+)+", remark):
        resolved(expression)
    for name in re.findall(r"(?<![\w.])[A-Z]\w+(?=\()|\b(?:[A-Z][a-z]*\d?){2,}D?\b", remark):
        assert name in NAMES or name in ("NumPy", "MindSpore"), name


def test_classes_with_a_constructor_of_ours_are_that_constructor():
    said = {id(FOUND[row.path]): row.here for row in ROWS if row.path in FOUND}
    for natives in {tuple(natives) for natives in NATIVE.values()}:
        for native in natives:
            ours = {f"{name}.{of}" for (name, of), those in NATIVE.items() if native in those}
            if isinstance(native, type) and id(native) in said:
                same = {native.__name__} & {*dir(db)}
                assert said[id(native)] in ours | same, native


def test_a_name_of_another_thing_here_has_a_row():
    paths = {row.path for row in ROWS}
    assert {"keras.layers.Identity", "keras.metrics.Accuracy", "mindspore.nn.Linear"} <= paths
    assert db.Identity().to_dict()["kind"] == "initializer.Identity"

"""`witness` marks a test as a comparison with an independent implementation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest

import dnnbridge as db
from dnnbridge.specs.spec import kind_of

WITHOUT: dict[type[db.Spec], str] = {
    db.StochasticWeightAverage: "neither framework has one; a mean that the cases check",
    db.LearningRateMultipliers: "a product of rates; neither framework has one",
}
"""Entries without an independent implementation, and why."""

PARAM = type(pytest.param())
Test = TypeVar("Test", bound=Callable[..., None])


class Witness(NamedTuple):
    """The mark of a test: the source of the other implementation, and the entries compared."""

    who: str
    kinds: tuple[str, ...]


def witness(who: str, *entries: type[db.Spec]) -> Callable[[Test], Test]:
    """Mark a test that compares entries of core with an independent implementation.

    Write it above `pytest.mark.parametrize`.

    Args:
        who: source of the implementation: a framework, a package, a paper.
        entries: the classes; without any, the classes of the specs in the rows of the test.

    Raises:
        TypeError: there are no classes, and no specs in the rows.

    Example:
        >>> @witness("papers", db.Adam, db.Adam)
        ... def test_of_adam(): ...
        >>> test_of_adam.witness
        Witness(who='papers', kinds=('optimizer.Adam',))
    """

    def decorate(test: Test) -> Test:
        kinds = tuple(dict.fromkeys(map(kind_of, entries or _in_rows(test))))
        if not kinds:
            raise TypeError(f"{test.__name__} has no spec in its rows: name the classes.")
        vars(test)["witness"] = Witness(who, kinds)
        return test

    return decorate


def named(ids: Iterable[str]) -> list[type[db.Spec]]:
    """Return the classes that ids begin with: "Conv2D-same" begins with Conv2D."""
    return [getattr(db, id.partition("-")[0]) for id in ids]


def _in_rows(test: Callable[..., None]) -> Iterator[type[db.Spec]]:
    """Yield the classes of the specs, and the classes themselves, in the rows of a test."""
    for mark in getattr(test, "pytestmark", ()):
        for row in mark.args[1] if mark.name == "parametrize" else ():
            values = row.values if isinstance(row, PARAM) else row
            for value in values if isinstance(values, (tuple, list)) else [values]:
                cls = value if isinstance(value, type) else type(value)
                if issubclass(cls, db.Spec):
                    yield cls


def witnesses() -> dict[str, list[tuple[str, str]]]:
    """Return the sources and the tests by kind of entry.

    Modules without a witness are not imported, because some of them walk a whole framework.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        if "@witness(" not in path.read_text(encoding="utf-8"):
            continue
        module = import_module(f"oracles.{path.stem}")
        for test in filter(inspect.isfunction, vars(module).values()):
            said = vars(test).get("witness")
            for kind in said.kinds if said and test.__module__ == module.__name__ else ():
                found.setdefault(kind, []).append((said.who, f"{path.name}::{test.__name__}"))
    return found

"""The tables of bad inputs: each gives its error, with what, where, got and what to do."""

from __future__ import annotations

import importlib

import pytest
from robustness.parts import missing
from robustness.row import Place, Row, experiment

import dnnbridge as db
from dnnbridge.errors import DnnbridgeError, SpecError

SURFACES = {
    name: importlib.import_module(f"robustness.{name}_rows").ROWS
    for name in ("spec", "run", "json", "command", "data", "file", "environment")
}
"""The rows of each surface, by their names."""

BACKENDS = ("reference", "tensorflow", "mindspore")

CASES = {
    f"{surface}-{name}-{backend}": (row, backend)
    for surface, rows in SURFACES.items()
    for name, row in rows.items()
    for backend in (BACKENDS if row.everywhere else BACKENDS[:1])
}


def check(row: Row, place: Place) -> None:
    """Give a bad input, and raise an AssertionError unless it gives its error."""
    try:
        row.does(place)
    except Exception as raised:
        error = raised
    else:
        raise AssertionError("it is accepted")
    assert type(error) is row.error, repr(error)
    assert not [word for word in row.words if word not in str(error)], str(error)
    if isinstance(error, DnnbridgeError):
        assert not missing(error), str(error)


@pytest.mark.parametrize(("row", "backend"), CASES.values(), ids=CASES)
def test_a_bad_input_gives_its_error(row, backend, tmp_path):
    if backend != "reference":
        pytest.importorskip(backend)
    place = Place(tmp_path, backend, lambda: db.compile(experiment(), backend))
    check(row, place)


def test_the_tables_are_large():
    counts = {surface: len(rows) for surface, rows in SURFACES.items()}
    assert sum(counts.values()) >= 400
    assert min(counts.values()) >= 20, counts
    assert sum(row.everywhere for rows in SURFACES.values() for row in rows.values()) >= 100
    errors = {row.error for rows in SURFACES.values() for row in rows.values()}
    assert len(errors) >= 12


@pytest.mark.parametrize(
    ("does", "says"),
    [
        (lambda c: None, "accepted"),
        (lambda c: {}["units"], "KeyError"),
        (lambda c: db.Dense("ten"), "ten"),
        (lambda c: db.Dense(0), "units"),
    ],
)
def test_the_check_notices(does, says, tmp_path):
    words = ("Dense.units", "'ten'", "seven") if says == "ten" else ("Dense.units", "missing")
    with pytest.raises(AssertionError, match=says):
        check(Row(does, SpecError, words), Place(tmp_path, "reference", lambda: None))


@pytest.mark.parametrize(
    ("error", "lacks"),
    [
        (SpecError("a fault", where="x", got="3", hint="Write 4."), []),
        (SpecError("must be above 3", where="x", got="3"), []),
        (SpecError("a fault", where="x", got="3"), ["what to do"]),
        (SpecError("must be above 3", got="3"), ["where"]),
        (SpecError("must be above 3", where="x"), ["got"]),
        (SpecError("", where="x", got="3", hint="Write 4."), ["what"]),
    ],
)
def test_the_parts_of_an_error(error, lacks):
    assert missing(error) == lacks

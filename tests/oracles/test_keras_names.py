"""Every name shared with Keras gives equal numbers, or has a reason for the difference."""

from __future__ import annotations

import pytest
from oracles.keras_names import GROUPS, ROWS
from oracles.keras_names.defaults import DIFFERENT, differing
from oracles.keras_names.names import NO_NUMBERS, shared
from oracles.keras_names.row import SEEN, distance


@pytest.mark.parametrize("id", ROWS)
def test_a_shared_name_has_the_number_of_keras(id):
    row = ROWS[id]
    pairs = row.measure(pytest.importorskip("keras"))
    apart = {what: distance(*pair) for what, pair in pairs.items()}
    worst = max(apart.values())
    if row.because:
        assert worst > SEEN * row.tolerance, f"no difference is seen any more: {row.because}"
    else:
        assert worst <= row.tolerance, {k: v for k, v in apart.items() if v > row.tolerance}


def test_no_shared_name_is_missing():
    found = shared(pytest.importorskip("keras"))
    compared = {(row.name, row.keras) for row in ROWS.values()}
    assert found - compared == set(), "write a row for each in tests/oracles/keras_names"
    assert len(found) > 180


def test_what_is_not_compared_is_there():
    keras = pytest.importorskip("keras")
    for _, path in NO_NUMBERS:
        space, _, name = path.rpartition(".")
        assert hasattr(getattr(keras, space), name), path


def test_defaults_are_those_of_keras():
    keras = pytest.importorskip("keras")
    found = {pair: differing(keras, pair) for pair in shared(keras) if "ops." not in pair[1]}
    names = {pair: set(arguments) for pair, arguments in found.items() if arguments}
    assert names == DIFFERENT, found
    reasons = {(row.name, row.keras) for row in ROWS.values() if row.because}
    assert set(DIFFERENT) <= reasons


def test_no_two_rows_are_one():
    assert sum(map(len, GROUPS)) == len(ROWS)

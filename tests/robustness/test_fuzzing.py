"""Damaged and hostile files of every kind: each is read, or refused with an error of dnnbridge.

A process of its own reads them, with a limit of memory, so neither a crash nor a hang is missed.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from robustness.mutations import changed
from robustness.parsers import PARSERS

pytest.importorskip("h5py")

SHORT, LONG = 40, 2000
"""Number of damaged files of each kind."""


@pytest.mark.parametrize("name", PARSERS)
def test_the_files_are_valid(name, folder, reader):
    if not (folder / name).exists():
        pytest.skip("its package is missing")
    assert reader.check(name, folder / name) == ""


def check(name, folder, reader, count):
    """Read damaged copies of a file; many must be refused, or the damage is none."""
    valid = folder / name
    if not valid.exists():
        pytest.skip("its package is missing")
    content, path = valid.read_bytes(), folder / f"damaged.{name}"
    outcomes: Counter[str] = Counter()

    @settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=True))
    def read(random):
        path.write_bytes(changed(valid, content, random))
        outcomes[reader.check(name, path)] += 1

    read()
    assert outcomes.total() >= count
    assert outcomes.total() - outcomes[""] > count / 4, outcomes


@pytest.mark.parametrize("name", PARSERS)
def test_damaged_files_are_read_or_refused(name, folder, reader):
    check(name, folder, reader, SHORT)


@pytest.mark.slow
@pytest.mark.parametrize("name", PARSERS)
def test_many_damaged_files_are_read_or_refused(name, folder, reader):
    check(name, folder, reader, LONG)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("crash", "it ended"),
        ("hang", "no answer"),
        ("memory", "MemoryError"),
        ("foreign", "KeyError"),
        ("pickle", "it ended"),
    ],
)
def test_the_reader_notices(how, says, folder, reader, monkeypatch):
    monkeypatch.setattr("robustness.readers.SECONDS", 3 if how == "hang" else 30)
    with pytest.raises(AssertionError, match=says):
        reader.check(f"sabotage.{how}", folder / "log.csv")
    assert reader.check("log.csv", folder / "log.csv") == ""

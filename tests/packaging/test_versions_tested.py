"""The columns of `make test-matrix` are the bounds that the package states."""

from __future__ import annotations

import tomllib
from pathlib import Path

import test_matrix

ROOT = Path(__file__).parents[2]


def test_the_columns_are_the_bounds():
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = stated["project"]["optional-dependencies"]
    for name, pin in zip(("tensorflow", "mindspore"), test_matrix.COLUMNS["oldest"], strict=True):
        assert pin.removesuffix(".0").replace("==", ">=") in extras[name]
    pinned = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert set(test_matrix.COLUMNS["newest"]) <= set(pinned)


def test_the_tests_exist():
    assert all((ROOT / path).exists() for path in test_matrix.TESTS)


def test_only_what_frameworks_need_is_free():
    kept = test_matrix.constraints()
    assert "pytest==" in kept
    assert "pydantic==" in kept
    assert "tensorflow==" not in kept
    assert "numpy==" not in kept

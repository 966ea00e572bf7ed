"""MindSpore compiles for half a second what it is asked; its long form is marked slow."""

from __future__ import annotations

import pytest

from dnnbridge.testing.checks import all_checks, select

LONG = {"TestMindSpore"}
"""Classes whose tests are those of `conformance --quick` by default, and all with `-m slow`."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    short = {(check.area, check.id) for check in select(all_checks(), quick=True)}
    for item in items:
        if getattr(getattr(item, "cls", None), "__name__", "") in LONG:
            check = item.callspec.params["check"]
            if (check.area, check.id) not in short:
                item.add_marker(pytest.mark.slow)

"""MindSpore compiles for half a second per check, so most of its checks are marked slow."""

from __future__ import annotations

import pytest

from dnnbridge.testing.checks import all_checks, select

LONG = {"TestMindSpore"}
"""Classes that run only the checks of `conformance --quick` by default; `-m slow` runs the rest."""

TWICE_LONG = {"TestTensorFlow"}
"""Classes that run only `layers called twice` by default, and not every "-twice" case."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    every = all_checks()
    twice = {(check.area, check.id) for check in every if check.id.endswith("-twice")}
    short = {(check.area, check.id) for check in select(every, quick=True)}
    for item in items:
        name = getattr(getattr(item, "cls", None), "__name__", "")
        if name in LONG | TWICE_LONG:
            check = item.callspec.params["check"]
            key = check.area, check.id
            if key in twice or (name in LONG and key not in short):
                item.add_marker(pytest.mark.slow)

"""`ConformanceSuite`: subclass it, name a backend, and pytest compares it with the reference."""

from __future__ import annotations

from functools import cache
from typing import ClassVar

import pytest

from dnnbridge.errors import DeclaredLimitationError
from dnnbridge.testing.checks import Check, all_checks
from dnnbridge.testing.subject import Subject
from dnnbridge.training.compiling import load_chosen


class ConformanceSuite:
    """Tests of one backend; each compares with the float64 reference.

    A check is skipped, with the reason, if the backend declares its limitation or deviation.

    Example:
        class TestMine(ConformanceSuite):
            backend = "mine"
    """

    backend: ClassVar[str]
    device: ClassVar[str] = "cpu"

    @pytest.mark.parametrize("check", all_checks(), ids=lambda check: f"{check.area}-{check.id}")
    def test_conformance(self, check: Check) -> None:
        try:
            check.require(_subject(self.backend, self.device))
        except DeclaredLimitationError as error:
            pytest.skip(str(error))


@cache
def _subject(backend: str, device: str) -> Subject:
    """Return the subject that all tests of a process use, so that shared work is done once."""
    return Subject(*load_chosen(backend, device))

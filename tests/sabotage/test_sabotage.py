"""Tests of the suite: a backend that is wrong in one place fails the check for it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from dnnbridge import ops
from dnnbridge.schedules import PiecewiseConstant
from dnnbridge.testing.cases.schedule_cases import SCHEDULE_CASES, ScheduleCase
from dnnbridge.testing.checks import all_checks, measure_schedules
from sabotage.operations import value
from sabotage.row import HEALTHY, Sabotage, require_caught
from sabotage.rows import SABOTAGES

ROWS = [row for rows in SABOTAGES.values() for row in rows]
CHECKS = {f"{check.area}/{check.id}": check for check in all_checks()}


@lru_cache
def healthy(check: str) -> None:
    """Check once that the reference itself passes."""
    CHECKS[check].require(HEALTHY.subject)


@pytest.mark.parametrize(
    ("row", "check"),
    [pytest.param(row, c, id=f"{row.name}-{c}") for row in ROWS for c in row.caught],
)
def test_sabotage_is_caught(row, check):
    healthy(check)
    require_caught(row, CHECKS[check])


def test_names_are_unique_and_each_is_caught():
    assert len({row.name for row in ROWS}) == len(ROWS) >= 40
    assert all(row.caught for row in ROWS)


def test_a_rate_that_is_off_by_its_last_bit_is_caught():
    cases = [SCHEDULE_CASES[0], ScheduleCase("last", PiecewiseConstant((99,), (0.1, 0.05)))]
    wrong = value(lambda y, a, b: np.nextafter(y, 1.0) if y == 0.05 else y)
    broken = Sabotage("one rate", (), rules={ops.Sub: wrong})
    assert all(made.ok for made in measure_schedules(cases, 100, 50, HEALTHY.subject))
    found = measure_schedules(cases, 100, 50, broken.subject)
    assert [made.what for made in found if not made.ok] == ["schedule.PiecewiseConstant last"]

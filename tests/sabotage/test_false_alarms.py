"""A healthy backend passes, whatever the numbers: NumPy in float32, and the frameworks."""

from __future__ import annotations

import numpy as np
import pytest

from dnnbridge.testing.checks import all_checks
from dnnbridge.testing.subject import Subject
from sabotage.rounded import RoundedBackend

SEEDS = range(20)
CHECKS = all_checks()
SMALL = [check for check in CHECKS if check.area not in ("training", "resuming", "schedule")]


@pytest.mark.parametrize("seed", SEEDS)
def test_float32_passes_every_small_check(seed):
    subject = Subject(RoundedBackend(), seed=seed)
    with np.errstate(all="ignore"):
        alarms = [
            f"{check.area}/{check.id} {made}"
            for check in SMALL
            for made in check.measure(subject)
            if not made.ok
        ]
    assert not alarms, "\n".join(alarms)

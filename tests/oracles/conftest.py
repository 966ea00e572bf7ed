"""Fixtures for all witnesses."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def same_draws_every_time():
    """Seed NumPy's global generator, from which MindSpore's initializers take their seeds."""
    np.random.seed(0)

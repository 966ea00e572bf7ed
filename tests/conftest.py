"""Options of the tests."""

from __future__ import annotations

import gc
import os
import sys

collect_ignore = ["own_layers.py"]
"""Its classes can be defined once: tests import it."""


def pytest_addoption(parser):
    parser.addoption(
        "--random-programs",
        type=int,
        metavar="N",
        default=os.environ.get("DNNBRIDGE_RANDOM_PROGRAMS"),
        help="draw N new random experiments per backend instead of a few that are always the same",
    )


EVERY = 100
"""Tests after which what has become old is left alone once more."""


def pytest_runtest_logfinish(nodeid, location):
    """Leave old objects alone: MindSpore collects garbage before it compiles anything.

    The modules of both frameworks, and what tests keep, make each collection take half a second.
    """
    FINISHED.append(nodeid)
    if "mindspore" in sys.modules and (not FROZEN or len(FINISHED) >= FROZEN[-1] + EVERY):
        FROZEN.append(len(FINISHED))
        gc.collect()
        gc.freeze()


FINISHED: list[str] = []
FROZEN: list[int] = []
"""How many tests were finished when it was done."""

"""Options of the tests."""

from __future__ import annotations

import gc
import os
import sys


def pytest_addoption(parser):
    parser.addoption(
        "--random-programs",
        type=int,
        metavar="N",
        default=os.environ.get("DNNBRIDGE_RANDOM_PROGRAMS"),
        help="draw N new random experiments per backend instead of a few that are always the same",
    )


def pytest_runtest_logfinish(nodeid, location):
    """Leave the modules of MindSpore alone: it collects garbage before it compiles anything."""
    if "mindspore" in sys.modules and not FROZEN:
        FROZEN.append(nodeid)
        gc.collect()
        gc.freeze()


FROZEN: list[str] = []
"""The test after which MindSpore was there."""

"""Options of the tests."""

from __future__ import annotations

import gc
import os
import sys

collect_ignore = ["own_layers.py"]
"""Tests import this module, and its classes can be registered only once."""


def pytest_addoption(parser):
    parser.addoption(
        "--random-programs",
        type=int,
        metavar="N",
        default=os.environ.get("DNNBRIDGE_RANDOM_PROGRAMS"),
        help="draw N new random experiments per backend instead of a few that are always the same",
    )


EVERY = 100
"""Number of tests after which objects are frozen again."""


def pytest_runtest_logfinish(nodeid, location):
    """Freeze old objects, because MindSpore collects garbage before every compilation.

    With the modules of both frameworks and the objects of tests, a collection takes half a second.
    """
    FINISHED.append(nodeid)
    if "mindspore" in sys.modules and (not FROZEN or len(FINISHED) >= FROZEN[-1] + EVERY):
        FROZEN.append(len(FINISHED))
        gc.collect()
        gc.freeze()


FINISHED: list[str] = []
FROZEN: list[int] = []
"""Numbers of finished tests at each freeze."""

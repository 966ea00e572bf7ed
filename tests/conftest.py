"""Options of the tests."""

from __future__ import annotations

import os


def pytest_addoption(parser):
    parser.addoption(
        "--random-programs",
        type=int,
        metavar="N",
        default=os.environ.get("DNNBRIDGE_RANDOM_PROGRAMS"),
        help="draw N new random experiments per backend instead of a few that are always the same",
    )

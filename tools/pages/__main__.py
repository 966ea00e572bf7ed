"""Rewrite every generated page, or only the named ones."""

from __future__ import annotations

import sys
from pathlib import Path

from pages import PAGES

FOLDER = Path(__file__).parents[2] / "docs" / "reference"

for name in sys.argv[1:] or PAGES:
    (FOLDER / name).write_text(PAGES[name](), encoding="utf-8")

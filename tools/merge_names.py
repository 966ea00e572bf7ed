"""Add names that the installed Keras and MindSpore have to the table of foreign names.

PYTHONPATH=tests python tools/merge_names.py

A new row has our name if it differs only by case and underscores; otherwise fill in our name and a
remark by hand. Existing rows stay as they are, except rows for names that we now have.
"""

from __future__ import annotations

from pathlib import Path

from oracles.foreign_names.merging import lacking, merged, outdated, written
from oracles.foreign_names.walking import public_names

from dnnbridge.specs.foreign_names import foreign_names

TABLE = Path(__file__).parents[1] / "dnnbridge" / "specs" / "foreign_names.tsv"


def main() -> None:
    """Rewrite the table and print the names that were added or removed."""
    rows, found = foreign_names(), public_names()
    for path in lacking(rows, found):
        print("added", path)
    for row in outdated(rows):
        print("left out", row.path)
    TABLE.write_text(written(merged(rows, found)), encoding="utf-8")


if __name__ == "__main__":
    main()

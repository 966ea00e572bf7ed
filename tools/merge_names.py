"""Add names that the installed Keras and MindSpore have to the table of foreign names.

PYTHONPATH=tests python tools/merge_names.py

New rows say what is the same but for case and underscores, or nothing: write what it is here, and
a remark, by hand. Rows that are there stay as they are, but for those of names that we have now.
"""

from __future__ import annotations

from pathlib import Path

from oracles.foreign_names.merging import lacking, merged, outdated, written
from oracles.foreign_names.walking import public_names

from dnnbridge.specs.foreign_names import foreign_names

TABLE = Path(__file__).parents[1] / "dnnbridge" / "specs" / "foreign_names.tsv"


def main() -> None:
    """Write the table anew and print the names that were added."""
    rows, found = foreign_names(), public_names()
    for path in lacking(rows, found):
        print("added", path)
    for row in outdated(rows):
        print("left out", row.path)
    TABLE.write_text(written(merged(rows, found)), encoding="utf-8")


if __name__ == "__main__":
    main()

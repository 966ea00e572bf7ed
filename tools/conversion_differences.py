"""Write the table of native differences that the doctor and `dnnbridge convert` read.

The measured numbers are those of docs/measurements/native-differences.md.

python tools/conversion_differences.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from native_differences import ROWS
from native_differences.row import Row

ROOT = Path(__file__).parents[1]

TABLE = ROOT / "dnnbridge" / "doctor" / "native_differences.json"

PAGE = ROOT / "docs" / "measurements" / "native-differences.md"

COLUMNS = ("mindspore", "keras", "right")
"""What the page has in columns 3 to 5 of its list of contents."""

CLASSES = re.compile(r"\b(?:db|nn|layers|losses|optimizers|schedules|activations)\.([A-Z]\w+)")

HELPERS = {"Experiment", "Input", "Sequential", "TableSchedule"}
"""Classes that the code uses to show a difference of another."""


def classes(row: Row) -> list[str]:
    """Return the classes that a difference concerns, as its code names them."""
    sides = (row.mindspore, row.keras, row.expected, row.like_mindspore, row.like_keras, row.says)
    found = {name for text in sides for name in CLASSES.findall(text)} - HELPERS
    return sorted(found - {"Dense"} or found)


def measured() -> dict[str, dict[str, str]]:
    """Return the numbers of each row of the page, as it writes them."""
    found = {}
    for line in PAGE.read_text("utf-8").splitlines():
        if match := re.match(r"\| \[.*\]\(#([\w-]+)\) \|", line):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[3:6]]
            found[match[1]] = {n: c for n, c in zip(COLUMNS, cells, strict=True) if c}
    return found


def table() -> str:
    """Return the text of the table: a line for each difference."""
    numbers = measured()
    lines = [
        json.dumps(
            {
                "id": row.id,
                "title": row.title,
                "kind": row.kind,
                "says": row.says,
                "here": row.here,
                "classes": classes(row),
                "measured": numbers[row.id],
            }
        )
        for row in ROWS.values()
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n"


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")

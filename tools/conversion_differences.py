"""Write the table of native differences that `dnnbridge convert` reads.

python tools/conversion_differences.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from native_differences import ROWS
from native_differences.row import Row

TABLE = Path(__file__).parents[1] / "dnnbridge" / "cli" / "native_differences.json"

CLASSES = re.compile(r"\b(?:db|nn|layers|losses|optimizers|schedules|activations)\.([A-Z]\w+)")

HELPERS = {"Experiment", "Input", "Sequential", "TableSchedule"}
"""Classes that the code uses to show a difference of another."""


def classes(row: Row) -> list[str]:
    """Return the classes that a difference concerns, as its code names them."""
    sides = (row.mindspore, row.keras, row.expected, row.like_mindspore, row.like_keras, row.says)
    found = {name for text in sides for name in CLASSES.findall(text)} - HELPERS
    return sorted(found - {"Dense"} or found)


def table() -> str:
    """Return the text of the table: a line for each difference."""
    lines = [
        json.dumps(
            {
                "id": row.id,
                "title": row.title,
                "kind": row.kind,
                "says": row.says,
                "here": row.here,
                "classes": classes(row),
            }
        )
        for row in ROWS.values()
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n"


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")

"""The guide of precisions has the table of core."""

from __future__ import annotations

import re
from pathlib import Path

from dnnbridge.program.precision_table import FOLLOWING, KEPT, LOWERED

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "precision.md"


def test_the_table_is_that_of_core():
    text = PAGE.read_text(encoding="utf-8")
    (table,) = re.findall(r"<!-- table -->\n(.*?)\n<!-- end -->", text, re.S)
    rows = [row.split("|")[1] for row in table.splitlines()[2:]]
    found = [sorted(re.findall(r"`(\w+)`", row)) for row in rows]
    assert found == [sorted(op.__name__ for op in part) for part in (LOWERED, FOLLOWING, KEPT)]


def test_the_example_runs():
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    names: dict[str, object] = {}
    exec(compile(block, "precision.md", "exec"), names)

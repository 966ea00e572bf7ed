"""The example in the guide of rematerialisation runs and prints what it says."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "rematerialisation.md"


def test_the_example_prints_what_it_says(capsys):
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    names: dict[str, object] = {}
    exec(compile(block, "rematerialisation.md", "exec"), names)
    assert capsys.readouterr().out.strip() == block.rpartition("# ")[2].strip()

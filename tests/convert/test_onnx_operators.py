"""The guide lists the operators of ONNX that `from_onnx` has rules for."""

from __future__ import annotations

import re
from pathlib import Path

from dnnbridge.formats.onnx.reading.folding import FOLDED
from dnnbridge.formats.onnx.reading.table import RULES

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "models-that-move.md"


def test_the_guide_lists_the_operators_that_are_read():
    listed = re.search(r"### Operators that are read\n\n(.*?)\n\n", GUIDE.read_text("utf-8"), re.S)
    assert listed, f"{GUIDE} has no list of operators"
    assert re.findall(r"`(\w+)`", listed[1]) == sorted({*RULES, *FOLDED})

"""The code on the page about training runs, block after block, on the reference."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "training.md"


def test_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DNNBRIDGE_BACKEND", "reference")
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert len(blocks) >= 4
    names: dict[str, object] = {}
    exec(compile("\n".join(blocks), PAGE.name, "exec"), names)
    assert names["ending"].where == "elementwise"
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"history.svg", "compared.svg", "training.html"}
    assert "<h2>Worst examples</h2>" in (tmp_path / "training.html").read_text("utf-8")

"""The code of the page runs, and prints what the page says."""

import contextlib
import io
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "diagnostics.md"
BLOCK = re.compile(r"```python\n(.*?)```(?:\n```text\n(.*?)```)?", re.S)


def printed(code: str, names: dict[str, object]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, PAGE.name, "exec"), names)
    return out.getvalue()


def test_the_page_says_what_its_code_prints(monkeypatch, tmp_path):
    monkeypatch.setenv("DNNBRIDGE_BACKEND", "reference")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) == 11
    for code, said in blocks:
        assert " ".join(printed(code, names).split()) == " ".join(said.split())

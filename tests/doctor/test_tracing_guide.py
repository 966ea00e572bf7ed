"""The guide of traces prints what it says, and describes the format that is written."""

import re
from pathlib import Path

from dnnbridge.formats.traces.records import KINDS, MAGIC
from dnnbridge.formats.traces.statistics import WIDTH

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "tracing.md"
TEXT = PAGE.read_text("utf-8")


def test_the_example_prints_what_the_guide_says(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    exec(compile(code, "tracing.md", "exec"), {})
    wanted = re.search(r"prints\n\n```\n(.*?)```", TEXT, re.S)[1]
    same = re.compile(r"[0-9.]+e[-+][0-9]+ where rounding allows [0-9.]+e[-+][0-9]+")
    printed = capsys.readouterr().out
    assert same.sub("", printed) == same.sub("", wanted)
    assert same.search(printed)


def test_the_format_is_described():
    assert MAGIC.hex(" ") in TEXT
    assert re.findall(r"^\| `([A-Z]{4})` \|", TEXT, re.M) == list(KINDS)
    assert f"(places, {WIDTH})" in TEXT

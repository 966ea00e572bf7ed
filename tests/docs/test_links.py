"""The links of the pages work, and all files that a text names exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("dnnbridge", "backends", "benchmarks", "docs", "examples", "tests", "tools")
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(p for f in FOLDERS for p in (ROOT / f).rglob("*.md"))]
TEXTS = [
    *(ROOT / name for name in ("Makefile", "pyproject.toml")),
    *PAGES,
    *sorted(p for folder in FOLDERS for p in (ROOT / folder).rglob("*.py")),
]
TESTS = {p.name for top in ("tests", "examples") for p in (ROOT / top).rglob("test_*.py")}
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.S)
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
PATH = re.compile(r"(?<![\w/.])(?:docs|tests|tools)/[\w./-]*\w")
TEST = re.compile(r"(?<![\w/])test_\w+\.py\b")


def broken(page: Path) -> Iterator[str]:
    """Yield the broken relative links of a page."""
    for target in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        if not (page.parent / target).exists():
            yield target


def missing(text: str) -> Iterator[str]:
    """Yield the files and folders of the repository that a text names and that do not exist."""
    yield from (path for path in PATH.findall(text) if not (ROOT / path).exists())
    yield from (name for name in TEST.findall(text) if name not in TESTS)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    assert not list(broken(page))


def test_files_that_are_named_are_there():
    found = {
        str(path.relative_to(ROOT)): lost
        for path in TEXTS
        if (lost := list(missing(path.read_text(encoding="utf-8"))))
    }
    assert not found


def test_the_index_has_every_page():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert pages - {"README.md"} == set(LINK.findall(index))


def test_what_is_lost_is_seen(tmp_path):
    (tmp_path / "page.md").write_text("[a](page.md#there) [b](lost.md) `x[0](y)` [c](https://c)")
    assert list(broken(tmp_path / "page.md")) == ["lost.md"]
    lost = "docs/" + "lost.md", "tests/" + "lost", "test_" + "lost.py"
    assert list(missing(f"docs/design.md, test_links.py, {', '.join(lost)}")) == list(lost)

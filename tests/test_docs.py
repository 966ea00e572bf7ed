"""Generated pages are fresh, and what the pages say runs."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from dnnbridge.specs.spec import family_of

ROOT = Path(__file__).parents[1]


def generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_list_of_public_names_is_fresh():
    assert (ROOT / "docs" / "api.md").read_text() == generator().api(), "run: make docs"


def test_the_support_table_is_fresh():
    for name in ("tensorflow", "mindspore"):
        pytest.importorskip(name)
    assert (ROOT / "docs" / "support.md").read_text() == generator().support(), "run: make docs"


def test_the_coverage_table_is_fresh_and_total():
    """Every registered entry is in it, has a case, and runs on every backend."""
    for name in ("tensorflow", "mindspore"):
        pytest.importorskip(name)
    page = (ROOT / "docs" / "coverage.md").read_text()
    assert page == generator().coverage(), "run: make docs"
    for cls in generator().registered().values():
        assert not family_of(cls) or f"| `{cls.__name__}` |" in page, cls
    assert "no case" not in page


def test_the_table_of_sabotages_is_fresh():
    page = (ROOT / "docs" / "sabotage.md").read_text()
    assert page == generator().sabotage(), "run: make docs"


def test_the_drawing_of_the_readme_is_fresh():
    assert (ROOT / "docs" / "model.svg").read_text() == generator().drawing(), "run: make docs"


def test_the_readme_runs(tmp_path, monkeypatch):
    """Its Python blocks, one after another, on the reference."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert len(blocks) >= 2
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DNNBRIDGE_BACKEND", "reference")
    code = "\n".join(blocks).replace('backend="mindspore"', 'backend="reference"')
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    assert names["history"].history["val_accuracy"][-1] > 0.9


def test_links_of_the_pages_lead_somewhere():
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_page_of_conformance_runs():
    (block,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "conformance.md").read_text(), re.S
    )
    names: dict[str, object] = {}
    exec(compile(block, "conformance.md", "exec"), names)
    assert names["found"].outcomes


def test_the_page_of_foreign_names_is_fresh():
    assert (ROOT / "docs" / "names.md").read_text() == generator().names(), "run: make docs"

"""Generated pages are up to date, and the code on the pages runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pages import PAGES
from pages.entries import registered

from dnnbridge.backend.device import Device, check_kind, check_seen, parse_device
from dnnbridge.backend.plugins import all_described
from dnnbridge.errors import DeviceError
from dnnbridge.specs.spec import family_of

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


FRAMEWORKS = {"support.md", "coverage.md", "ascend.md"}
"""Pages that need a framework."""


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_fresh(name):
    for framework in ("tensorflow", "mindspore") if name in FRAMEWORKS else ():
        pytest.importorskip(framework)
    assert (REFERENCE / name).read_text(encoding="utf-8") == PAGES[name](), "run: make docs"


def test_every_page_of_the_reference_is_generated():
    assert {path.name for path in REFERENCE.iterdir()} == set(PAGES)


def test_the_coverage_table_is_total():
    """Every registered entry is in it, has a case, and runs on every backend."""
    page = (REFERENCE / "coverage.md").read_text(encoding="utf-8")
    for cls in registered().values():
        assert not family_of(cls) or f"| `{cls.__name__}` |" in page, cls
    assert "no case" not in page


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


def test_the_page_of_conformance_runs():
    page = (ROOT / "docs" / "guide" / "conformance.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, re.S)
    names: dict[str, object] = {}
    exec(compile(block, "conformance.md", "exec"), names)
    assert names["found"].outcomes


def test_the_page_of_raw_rows_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DNNBRIDGE_BACKEND", "reference")
    page = (ROOT / "docs" / "guide" / "raw-rows.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", page, re.S))
    exec(compile(code, "raw-rows.md", "exec"), {})


def test_the_page_of_large_data_runs(tmp_path, monkeypatch):
    for framework in ("tensorflow", "mindspore"):
        pytest.importorskip(framework)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DNNBRIDGE_BACKEND", "reference")
    page = (ROOT / "docs" / "guide" / "large-data.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.S)
    assert len(blocks) >= 4
    names: dict[str, object] = {}
    exec(compile("\n".join(blocks), "large-data.md", "exec"), names)
    assert f"# {names['shards']!r}\n" in page
    assert names["run"].position.step == 4 * 3 * 20


def test_the_search_in_processes_that_end_runs(tmp_path):
    page = (ROOT / "docs" / "guide" / "reliability.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(from multiprocessing.*?)```", page, re.S)
    few = block.replace("range(8, 208, 5)", "range(8, 11)").replace("child=20", "child=2")
    (tmp_path / "search.py").write_text(few, encoding="utf-8")
    command = [sys.executable, "search.py"]
    environment = os.environ | {"DNNBRIDGE_BACKEND": "reference"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    found = [line.split() for line in done.stdout.splitlines()]
    assert [units for units, _ in found] == ["8", "9", "10"], done.stderr
    assert all(0 < float(loss) < 10 for _, loss in found)


def test_the_page_of_devices_runs_and_quotes_the_errors():
    page = (ROOT / "docs" / "guide" / "devices.md").read_text(encoding="utf-8")
    names: dict[str, object] = {}
    code = "\n".join(re.findall(r"```python\n(.*?)```", page, re.S))
    exec(compile(code, "devices.md", "exec"), names)
    assert names["found"].probes

    infos = {info.name: info for info in all_described()[0]}
    given = infos["tensorflow"], Device("ascend"), "device", list(infos.values())
    seen = infos["tensorflow"], Device("gpu", 2), ("gpu", "gpu:1", "cpu"), "device", ""
    for check, arguments in (
        (check_kind, given),
        (check_seen, seen),
        (parse_device, ("GPU", "DNNBRIDGE_DEVICE")),
    ):
        with pytest.raises(DeviceError) as caught:
            check(*arguments)
        assert f"\n{caught.value}\n" in page

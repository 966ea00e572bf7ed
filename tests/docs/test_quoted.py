"""Figures, class trees and lists in pages and docstrings agree with the code."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from pathlib import Path

import pytest

import dnnbridge as db
from dnnbridge import errors
from dnnbridge.base import warning
from dnnbridge.testing.cases.optimizer_cases import OPTIMIZER_CASES
from dnnbridge.training.feeding import batches

ROOT = Path(__file__).parents[2]


def page(name: str) -> str:
    return " ".join((ROOT / name).read_text().split())


def test_the_size_of_a_block():
    mebibytes, gigaflop = batches.BLOCK_BYTES // 2**20, batches.BLOCK_FLOPS // 10**9
    described = " ".join(inspect.getdoc(db.Run.fit).split())
    most = f"{mebibytes} MiB and {gigaflop} GFLOP, at most {batches.STEPS_PER_CALL}"
    assert most in described
    assert f"at most {mebibytes} MiB and {gigaflop} GFLOP a call" in page("docs/design.md")


def drawn(doc: str) -> dict[str, tuple[str, ...]]:
    """Return the bases of each class in a drawn tree: the class above, and those in brackets."""
    found: dict[str, tuple[str, ...]] = {}
    above: list[str] = []
    indent = 0
    for line in doc.splitlines():
        match = re.match(r"([ │├└─]*)(\w+(?:Error|Warning))\b(?: \((\w+)\))?(?=\s|$)", line)
        if match is None:
            continue
        place, name, other = match.groups()
        indent = indent if found else len(place)
        above = above[: (len(place) - indent) // 4]
        found[name] = (*above[-1:], *([other] if other else []))
        above.append(name)
    return found


@pytest.mark.parametrize(
    ("module", "base"),
    [(errors, errors.DnnbridgeError), (warning, warning.DnnbridgeWarning)],
    ids=["errors", "warnings"],
)
def test_the_tree_of_classes(module, base):
    classes = {
        name: cls
        for name, cls in vars(module).items()
        if inspect.isclass(cls) and issubclass(cls, base) and cls.__module__ == module.__name__
    }
    found = drawn(inspect.getdoc(module))
    assert found.keys() == classes.keys()
    for name, cls in classes.items():
        bases = tuple(each.__name__ for each in cls.__bases__)
        assert found[name] == (bases if bases != ("Exception",) else ()), name


def test_the_table_of_optimizers_has_every_case():
    wanted = Counter(type(case.optimizer).__name__ for case in OPTIMIZER_CASES)
    section = (
        (ROOT / "docs" / "measurements" / "numbers.md").read_text().split("## Optimizers over")[1]
    )
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", section.split("\n## ")[0], re.M)
    assert {name: int(count) for name, count in rows} == wanted, (
        "run: python benchmarks/optimizer_errors.py"
    )


def test_the_example_of_a_backend_names_all_its_files():
    folder = ROOT / "examples" / "custom_backend"
    modules = {path.name for path in (folder / "dnnbridge_autograd").glob("*.py")}
    named = re.findall(
        r"^- `dnnbridge_autograd/(\w+\.py)`", (folder / "README.md").read_text(), re.M
    )
    assert sorted(named) == sorted(modules - {"__init__.py"})

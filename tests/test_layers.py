"""Imports go down: a module imports what stands below it, and a backend imports one module."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FLOORS = [
    *("errors", "base", "specs", "drawing", "graph", "ops", "float64", "initializers"),
    *("schedules", "emit", "weights", "optimizers", "activations", "losses", "metrics", "layers"),
    *("models", "zoo", "program", "experiment", "backend", "training", "reference", "datasets"),
    *("testing", "report", "cli", "__main__"),
]
"""Packages and modules of `dnnbridge`, from the ground."""

ABOVE = {"backend/from_core.py"}
"""Faces, which show what stands above their own package."""

MODULES = sorted((ROOT / "dnnbridge").rglob("*.py"))
BACKENDS = [
    *(ROOT / "backends").rglob("*.py"),
    *(ROOT / "examples" / "custom_backend" / "dnnbridge_autograd").rglob("*.py"),
]


def imported(path: Path, *, at_the_top: bool) -> set[str]:
    """Return the modules that a file imports, without what only type checkers read."""
    tree = ast.parse(path.read_text("utf-8"))
    nodes = tree.body if at_the_top else ast.walk(tree)
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "dnnbridge":
            found |= {f"dnnbridge.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def floor_of(module: str) -> int:
    return FLOORS.index(module.split(".")[1])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_what_stands_below(path):
    name = str(path.relative_to(ROOT / "dnnbridge"))
    if name == "__init__.py" or name in ABOVE:
        return
    own = floor_of(f"dnnbridge.{name.split('/')[0].removesuffix('.py')}")
    for module in imported(path, at_the_top=True):
        if module.startswith("dnnbridge."):
            assert floor_of(module) <= own, f"{name} imports {module}"


@pytest.mark.parametrize("path", BACKENDS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_backend_imports_one_module_of_core(path):
    found = imported(path, at_the_top=False)
    core = {module for module in found if module.split(".")[0] == "dnnbridge"}
    assert core <= {"dnnbridge", "dnnbridge.backend"}

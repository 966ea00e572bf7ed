"""Modules import only from lower floors, and a backend imports only one module of core."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FLOORS = [
    *("errors", "base", "specs", "drawing", "graph", "ops", "initializers"),
    *("schedules", "emit", "weights", "optimizers", "activations", "losses", "metrics", "layers"),
    *(
        "models",
        "zoo",
        "program",
        "experiment",
        "formats",
        "backend",
        "training",
        "callbacks",
        "diagnose",
        "convert",
        "reference",
        "datasets",
    ),
    *("testing", "doctor", "installation", "report", "cli", "__main__"),
]
"""Packages and modules of `dnnbridge`, the lowest first."""

ABOVE = {"backend/from_core.py"}
"""Modules that export names from floors above their own package."""

MODULES = sorted((ROOT / "dnnbridge").rglob("*.py"))
BACKENDS = [
    *(ROOT / "backends").rglob("*.py"),
    *(ROOT / "examples" / "custom_backend" / "dnnbridge_autograd").rglob("*.py"),
]


def imported(path: Path) -> set[str]:
    """Return the modules that a file imports, also in functions, except for type checkers only."""
    found = set()
    for node in _run(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "dnnbridge":
            found |= {f"dnnbridge.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every node but those below `if TYPE_CHECKING`."""
    yield tree
    if not (isinstance(tree, ast.If) and "TYPE_CHECKING" in ast.dump(tree.test)):
        for node in ast.iter_child_nodes(tree):
            yield from _run(node)


def floor_of(module: str) -> int:
    return FLOORS.index(module.split(".")[1])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_what_stands_below(path):
    name = str(path.relative_to(ROOT / "dnnbridge"))
    if name == "__init__.py" or name in ABOVE:
        return
    own = floor_of(f"dnnbridge.{name.split('/')[0].removesuffix('.py')}")
    for module in imported(path):
        if module.startswith("dnnbridge.") and module.split(".")[1] in FLOORS:
            assert floor_of(module) <= own, f"{name} imports {module}"


@pytest.mark.parametrize("path", BACKENDS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_backend_imports_one_module_of_core(path):
    found = imported(path)
    core = {module for module in found if module.split(".")[0] == "dnnbridge"}
    assert core <= {"dnnbridge", "dnnbridge.backend"}


def test_modules_that_need_each_other_stand_in_one_package():
    """An import cycle, imports in functions included, has at most three modules of one package."""
    names = {".".join(p.relative_to(ROOT).with_suffix("").parts): p for p in MODULES}
    below = {name: imported(path) & names.keys() for name, path in names.items()}

    def reached(name: str) -> set[str]:
        found, left = set(), [name]
        while left:
            new = below[left.pop()] - found
            found |= new
            left += new
        return found

    all_reached = {name: reached(name) for name in names}
    for name, found in all_reached.items():
        circle = {other for other in found if name in all_reached[other]}
        assert len(circle) <= 3, sorted(circle)
        assert len({other.rpartition(".")[0] for other in circle}) <= 1, sorted(circle)

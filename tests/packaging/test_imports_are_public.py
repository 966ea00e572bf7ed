"""Nothing uses modules or attributes that the frameworks keep for themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("dnnbridge", "backends", "tools", "benchmarks", "examples", "tests")
FRAMEWORKS = {
    **dict.fromkeys(("tensorflow", "tf"), "tensorflow"),
    **dict.fromkeys(("mindspore", "ms", "mint"), "mindspore"),
    "keras": "keras",
}
INNER = {"tensorflow": {"python", "core", "compiler"}, "keras": {"src"}, "mindspore": set()}
"""Public names under which a framework keeps what is not public."""


def is_private(name: str) -> bool:
    """Whether a dotted name leads into the inside of a framework."""
    first, *rest = name.split(".")
    if first not in FRAMEWORKS:
        return False
    hidden = [part for part in rest if part.startswith("_") and not part.endswith("__")]
    return bool(hidden or INNER[FRAMEWORKS[first]] & set(rest[:1]))


def names_of(tree: ast.AST) -> list[tuple[int, str]]:
    """Return the line and the dotted name of each import and each attribute."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [(node.lineno, f"{node.module}.{each.name}") for each in node.names]
        elif isinstance(node, ast.Import):
            found += [(node.lineno, each.name) for each in node.names]
        elif isinstance(node, ast.Attribute) and (name := _dotted(node)):
            found.append((node.lineno, name))
    return found


def _dotted(node: ast.Attribute) -> str:
    parts, value = [node.attr], node.value
    while isinstance(value, ast.Attribute):
        parts.append(value.attr)
        value = value.value
    return ".".join([value.id, *reversed(parts)]) if isinstance(value, ast.Name) else ""


@pytest.mark.parametrize("folder", FOLDERS)
def test_only_public_modules_are_used(folder):
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in files
        for line, name in names_of(ast.parse(path.read_text("utf-8")))
        if is_private(name)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("source", "private"),
    [
        ("from tensorflow.python.eager import context", True),
        ("import keras.src.layers", True),
        ("from mindspore._c_expression import jit", True),
        ("x = tf.python.eager", True),
        ("import tensorflow as tf\ntf.__version__", False),
        ("from keras import layers\nfrom dnnbridge._inside import x", False),
    ],
)
def test_the_check_finds_what_is_private(source, private):
    assert any(is_private(name) for _, name in names_of(ast.parse(source))) is private

"""Walk the public namespaces of the installed Keras and MindSpore."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

FIRST = (
    *("", "layers", "models", "activations", "losses", "metrics", "optimizers", "initializers"),
    *("regularizers", "constraints", "callbacks", "applications", "ops", "config", "saving"),
)
"""Namespaces of Keras, in order of preference for a thing that several of them have."""

NOT_PUBLIC = {"src", "legacy"}

MINDSPORE = ("mindspore.nn", "mindspore.train", "mindspore.common.initializer")
"""Namespaces of MindSpore; each lists its public names."""


def public_names() -> dict[str, Any]:
    """Return every public class, function and namespace by its path.

    A thing that has the same name in several namespaces is listed once.
    """
    import keras

    found: dict[str, Any] = {}
    seen: set[tuple[int, str]] = set()
    for path, value in [*sorted(_members(keras, "keras"), key=_rank), *_of_mindspore()]:
        mark = id(value), path.rpartition(".")[2]
        if mark not in seen:
            seen.add(mark)
            found[path] = value
    return found


def _members(module: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name in dir(module):
        value = getattr(module, name)
        if name.startswith("_") or name in NOT_PUBLIC:
            continue
        if inspect.ismodule(value):
            yield f"{path}.{name}", value
            yield from _members(value, f"{path}.{name}")
        elif callable(value):
            yield f"{path}.{name}", value


def _rank(member: tuple[str, Any]) -> tuple[int, int, str]:
    """Sort by preferred namespace, then by depth."""
    path = member[0]
    parts = path.split(".")[1:-1]
    space = parts[0] if parts else ""
    return FIRST.index(space) if space in FIRST else len(FIRST), len(parts), path


def _of_mindspore() -> Iterator[tuple[str, Any]]:
    for path in MINDSPORE:
        module = importlib.import_module(path)
        for name in sorted(set(module.__all__)):
            yield f"{path}.{name}", getattr(module, name)

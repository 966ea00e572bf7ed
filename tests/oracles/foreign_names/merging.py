"""Add names of newer frameworks to the table; what is written by hand stays while it is true."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import dnnbridge as db
from dnnbridge import ops
from dnnbridge.specs.foreign_names import ForeignName, plain

HEAD = "name\there\tremark"

TWINS = {
    *("activations", "callbacks", "constraints", "initializers", "layers", "losses", "metrics"),
    *("optimizers", "regularizers", "nn", "schedules"),
}
"""Namespaces in which the same name, but for case and underscores, is the same thing."""


def lacking(rows: Iterable[ForeignName], found: Mapping[str, Any]) -> list[str]:
    """Return the paths of public names that are neither names of ours nor in the table."""
    known = {row.path for row in rows}
    return [p for p in found if p not in known and p.rpartition(".")[2] not in db.__all__]


def outdated(rows: Iterable[ForeignName]) -> list[ForeignName]:
    """Return the rows that call a name of ours missing, and say not what else it is here."""
    ours = set(db.__all__)
    return [r for r in rows if r.name in ours and not r.here and r.name not in r.remark]


def merged(rows: Iterable[ForeignName], found: Mapping[str, Any]) -> list[ForeignName]:
    """Return the rows, and one for each public name that they lack, in order of the paths.

    A row of a name that has become ours is left out.
    """
    rows = list(rows)
    for row in outdated(rows):
        rows.remove(row)
    rows += [ForeignName(path, _twin(path, found), "") for path in lacking(rows, found)]
    return sorted(rows)


def written(rows: Iterable[ForeignName]) -> str:
    """Return the text of the table."""
    return "".join(f"{line}\n" for line in [HEAD, *("\t".join(row) for row in rows)])


def _twin(path: str, found: Mapping[str, Any]) -> str:
    """Return our name of the same thing under another name of its framework, or ""."""
    space, _, name = path.rpartition(".")
    if space == "keras.ops":
        return f"ops.{name}" if inspect.isfunction(getattr(ops, name, None)) else ""
    if space.rpartition(".")[2] not in TWINS:
        return ""
    ours = {plain(known): known for known in db.__all__}
    aliases = [p.rpartition(".")[2] for p, value in found.items() if value is found[path]]
    return next((ours[plain(alias)] for alias in [name, *aliases] if plain(alias) in ours), "")

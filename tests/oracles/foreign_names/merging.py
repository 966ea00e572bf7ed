"""Add names of newer frameworks to the table; rows written by hand stay while they are true."""

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
"""Namespaces in which a name that differs only by case and underscores means the same thing."""


def lacking(rows: Iterable[ForeignName], found: Mapping[str, Any]) -> list[str]:
    """Return the paths of public names that are neither names of ours nor in the table."""
    known = {row.path for row in rows}
    return [p for p in found if p not in known and p.rpartition(".")[2] not in db.__all__]


def outdated(rows: Iterable[ForeignName]) -> list[ForeignName]:
    """Return the rows of names that we have now and that the row still calls missing."""
    ours = set(db.__all__)
    return [r for r in rows if r.name in ours and not r.here and r.name not in r.remark]


def merged(rows: Iterable[ForeignName], found: Mapping[str, Any]) -> list[ForeignName]:
    """Return the rows and a new row for each missing public name, sorted by path.

    Outdated rows are left out.
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
    """Return our name for the thing or for one of its aliases in its framework, or ""."""
    space, _, name = path.rpartition(".")
    if space == "keras.ops":
        return f"ops.{name}" if inspect.isfunction(getattr(ops, name, None)) else ""
    if space.rpartition(".")[2] not in TWINS:
        return ""
    ours = {plain(known): known for known in db.__all__}
    aliases = [p.rpartition(".")[2] for p, value in found.items() if value is found[path]]
    return next((ours[plain(alias)] for alias in [name, *aliases] if plain(alias) in ours), "")

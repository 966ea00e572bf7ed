"""Public names of Keras and MindSpore that we do not have, and our name for each.

`foreign_names.tsv` lists them, one per line: the name, what to write here, a remark. The file is
read only when a name is not found.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module, resources
from typing import NamedTuple

SHOWN = 3
"""How many names with the same explanation a message lists."""

NEAR, NEARER = 0.7, 0.85
"""Similarity (of `difflib`) from which our names, and foreign names, are suggested."""


class ForeignName(NamedTuple):
    """A public name of a framework.

    Args:
        path: the full name: "keras.layers.MaxPool2D".
        here: what to write here instead, such as "MaxPooling2D"; "" if there is nothing yet.
        remark: a further sentence, or "".
    """

    path: str
    here: str
    remark: str

    @property
    def name(self) -> str:
        """Its last part: "MaxPool2D"."""
        return self.path.rpartition(".")[2]


@cache
def foreign_names() -> tuple[ForeignName, ...]:
    """Return all rows of the table.

    Example:
        >>> next(row for row in foreign_names() if row.path == "keras.layers.MaxPool2D")
        ForeignName(path='keras.layers.MaxPool2D', here='MaxPooling2D', remark='')
    """
    text = resources.files(__package__).joinpath("foreign_names.tsv").read_text("utf-8")
    return tuple(ForeignName(*line.split("\t")) for line in text.splitlines()[1:])


@cache
def _rows_by_name() -> Mapping[str, list[ForeignName]]:
    found: dict[str, list[ForeignName]] = {}
    for row in foreign_names():
        found.setdefault(row.name, []).append(row)
    return found


def plain(name: str) -> str:
    """Return a name without case and underscores: "LeakyReLU" and "leaky_relu" are the same."""
    return name.lower().replace("_", "")


def missing(module: str, name: str) -> AttributeError:
    """Return the error for a name that one of our modules does not have.

    Example:
        >>> print(missing("dnnbridge", "MaxPool2D"))
        dnnbridge has no MaxPool2D: keras.layers.MaxPool2D is MaxPooling2D here.
        >>> print(missing("dnnbridge", "max_pooling_2d"))
        dnnbridge has no max_pooling_2d. Did you mean MaxPooling2D?
    """
    return AttributeError(f"{module} has no {name}{_explained(module, name)}")


def _explained(module: str, name: str) -> str:
    package = module.partition(".")[0]
    known, ours = _rows_by_name(), {n: n for n in _public(module)}
    if module != package:
        ours = {n: f"{package}.{n}" for n in _public(package)} | ours
    if name in ours:
        return f": it is {ours[name]}."
    if name in known:
        return ": " + " ".join(_sentences(_closest(module, known[name])))
    if near := _near(name, ours, NEAR):
        return f". Did you mean {' or '.join(ours[n] for n in near)}?"
    if near := _near(name, known, NEARER):
        return ". " + " ".join(_sentences(_closest(module, known[near[0]])))
    return f". See dir({module}) for its names."


def _public(module: str) -> list[str]:
    import_module(module)
    return list(vars(sys.modules[module])["__all__"])


def _near(name: str, names: Iterable[str], alike: float) -> list[str]:
    """Return the names that differ only in case and underscores, or else the most similar ones."""
    by_plain: dict[str, str] = {}
    for known in sorted(names, key=lambda n: n[0].islower() != name[0].islower()):
        by_plain.setdefault(plain(known), known)
    if plain(name) in by_plain:
        return [by_plain[plain(name)]]
    return [by_plain[p] for p in difflib.get_close_matches(plain(name), by_plain, 2, alike)]


def _closest(module: str, rows: list[ForeignName]) -> list[ForeignName]:
    """Return the rows of the namespace that corresponds to our module, or else all rows."""
    space = module.partition(".")[2]
    return [row for row in rows if space and row.path.startswith(f"keras.{space}.")] or rows


def _sentences(rows: Iterable[ForeignName]) -> Iterable[str]:
    """Explain the names; names with the same explanation share a sentence."""
    said: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        said.setdefault((row.here, row.remark), []).append(row.path)
    for (here, remark), paths in said.items():
        listed = paths if len(paths) <= SHOWN else [*paths[:SHOWN], f"{len(paths) - SHOWN} more"]
        names = " and ".join([", ".join(listed[:-1])] * (len(listed) > 1) + listed[-1:])
        verb = "is" if len(paths) == 1 else "are"
        what = f"{here} here" if here else "not here yet"
        yield f"{names} {verb} {what}.{remark and ' ' + remark}"

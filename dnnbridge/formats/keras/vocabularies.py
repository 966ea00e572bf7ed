"""Vocabularies that layers of Keras have found in data: a `.keras` file holds them as texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from zipfile import ZipFile

from dnnbridge.base.messages import snake_case
from dnnbridge.formats.keras.settings import serialized

ADAPTED = ("IntegerLookup",)
"""Layers whose vocabulary is in a file of its own, unless it is among their arguments."""


def with_vocabularies(archive: ZipFile, config: dict[str, Any]) -> dict[str, Any]:
    """Put the vocabularies of a `.keras` file into the configuration of its layers, in place.

    Args:
        archive: the file.
        config: its configuration.
    """
    names = set(archive.namelist())
    for path, layer in _layers(config, "assets"):
        name = f"{path}/vocabulary.txt"
        if layer.get("vocabulary") is None and name in names:
            layer["vocabulary"] = [int(line) for line in archive.read(name).split()]
    return config


def _layers(model: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield path and arguments of the layers with a vocabulary, in all models."""
    found = serialized(model)
    taken: dict[str, int] = {}
    for entry in found.config.get("layers", ()) if found else ():
        kind = str(entry.get("class_name")) if isinstance(entry, Mapping) else ""
        number = taken[kind] = taken.get(kind, -1) + 1
        below = f"{path}/layers/{snake_case(kind)}" + (f"_{number}" if number else "")
        if kind in ADAPTED and isinstance(entry.get("config"), dict):
            yield below, entry["config"]
        yield from _layers(entry, below)

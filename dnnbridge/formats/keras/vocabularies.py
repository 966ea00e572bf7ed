"""Vocabularies that layers of Keras have found in data: a `.keras` file holds them as texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from zipfile import ZipFile

from dnnbridge.base.messages import snake_case
from dnnbridge.formats.archives import read_member
from dnnbridge.formats.keras.settings import serialized


def _numbers(content: bytes, size: int) -> list[int]:
    return [int(line) for line in content.split()]


def _texts(content: bytes, size: int) -> list[str]:
    """Return the lines; the last one has no end, so it is lost if it is empty."""
    lines = content.decode().splitlines()
    return [*lines, ""] if len(lines) == size - 1 else lines


ADAPTED: Mapping[str, Callable[[bytes, int], Sequence[int | str]]] = {
    "IntegerLookup": _numbers,
    "StringLookup": _texts,
}
"""How to read the vocabulary of a layer from its own file, if it is not among the arguments."""


def with_vocabularies(archive: ZipFile, config: dict[str, Any]) -> dict[str, Any]:
    """Put the vocabularies of a `.keras` file into the configuration of its layers, in place.

    Args:
        archive: the file.
        config: its configuration.
    """
    names = set(archive.namelist())
    for path, kind, layer in _layers(config, "assets"):
        name = f"{path}/vocabulary.txt"
        if layer.get("vocabulary") is None and name in names:
            size = int(layer.get("vocabulary_size") or 0)
            layer["vocabulary"] = ADAPTED[kind](read_member(archive, name), size)
    return config


def _layers(model: Any, path: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, class and arguments of the layers with a vocabulary, in all models."""
    found = serialized(model)
    taken: dict[str, int] = {}
    for entry in found.config.get("layers", ()) if found else ():
        kind = str(entry.get("class_name")) if isinstance(entry, Mapping) else ""
        number = taken[kind] = taken.get(kind, -1) + 1
        below = f"{path}/layers/{snake_case(kind)}" + (f"_{number}" if number else "")
        if kind in ADAPTED and isinstance(entry.get("config"), dict):
            yield below, kind, entry["config"]
        yield from _layers(entry, below)

"""What the parts of a measurement leave in the folder of a model."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

TRAINED = "trained.keras"
"""The file of a model before it is trained."""

ROWS, BATCH_SIZE, EPOCHS = 40, 8, 10
"""Examples of the training: 50 steps."""

LARGE_ROWS, LARGE_BATCH_SIZE, LARGE_EPOCHS = 8, 4, 25
"""The same for models of keras.applications."""


def arrays_of(path: Path) -> dict[str, list[Any]]:
    """Return lists of arrays that `keep` wrote, by name."""
    made: dict[str, list[Any]] = {}
    with np.load(path) as file:
        for key in sorted(file.files, key=lambda key: (key.split("-")[0], int(key.split("-")[1]))):
            made.setdefault(key.split("-")[0], []).append(file[key])
    return made


def keep(path: Path, **lists: Iterable[Any]) -> None:
    """Write lists of arrays."""
    pairs = ((f"{name}-{i}", a) for name, each in lists.items() for i, a in enumerate(each))
    np.savez(path, **dict(pairs))


def listed(found: Any) -> list[Any]:
    """Return the outputs of a prediction as a list."""
    if isinstance(found, dict):
        return [np.asarray(each) for each in found.values()]
    return [np.asarray(each) for each in (found if isinstance(found, (list, tuple)) else [found])]


def distance(found: Iterable[Any], wanted: Iterable[Any]) -> float:
    """Return the largest difference, as a part of the largest number of each output."""
    pairs = list(zip(found, wanted, strict=True))
    assert all(a.shape == b.shape for a, b in pairs), [(a.shape, b.shape) for a, b in pairs]
    with np.errstate(invalid="ignore"):
        return max(float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30)) for a, b in pairs)


def of_losses(found: Any, wanted: Any) -> float:
    """Return the largest difference of losses, relative to the largest of them."""
    return distance([np.asarray(found)], [np.asarray(wanted)])


def read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def nudged(array: Any, draw: Any) -> Any:
    """Return an array off by one spacing of float32, as other roundings might leave it."""
    if array.dtype != np.float32:
        return array
    ends = np.where(draw.integers(0, 2, array.shape), np.inf, -np.inf)
    return np.nextafter(array, ends.astype(np.float32))

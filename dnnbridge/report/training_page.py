"""The page about a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import what
from dnnbridge.base.packages import require_report
from dnnbridge.errors import ArgumentError, DataError
from dnnbridge.report.html import fill
from dnnbridge.report.page_parts import content_of
from dnnbridge.report.trained import Trained

TITLE = "Training report"


def render_training(
    trained: Trained,
    x: Any = None,
    y: Any = None,
    title: str = TITLE,
    class_names: Sequence[str] | None = None,
    pictures: Any = None,
    settings: Mapping[str, str] | None = None,
) -> str:
    """Return the page; `settings` are further facts about the training, as text."""
    require_report("An HTML report")
    if (x is None) != (y is None):
        raise ArgumentError("needs both examples and labels", where="write_report: x, y")
    if x is not None and trained.run is None:
        raise ArgumentError(
            "examples need the weights of a run",
            where="write_report: x",
            hint="Give the run, or a checkpoint of run.save, instead of its history.",
        )
    names = _checked_names(class_names)
    rows = None if pictures is None else _checked_pictures(pictures, x)
    data = None if x is None else (x, y)
    return fill("training.html", content_of(trained, data, title, names, rows, settings or {}))


def _checked_names(names: Any) -> list[str] | None:
    if names is None:
        return None
    found = [] if isinstance(names, str) else list(names)
    if not found or not all(isinstance(name, str) for name in found):
        raise ArgumentError(
            "must be a list of texts", where="write_report: class_names", got=what(names)
        )
    return found


def _checked_pictures(pictures: Any, x: Any) -> Array:
    array = np.asarray(pictures)
    first = next(iter(x.values())) if isinstance(x, Mapping) else x
    if array.dtype.kind not in "fiub" or array.ndim < 3 or x is None:
        raise DataError(
            "must be an array of images, to go with examples x",
            where="write_report: pictures",
            got=what(array),
        )
    if not isinstance(first, (list, tuple)) and len(array) != len(first):
        raise DataError(
            "must have a row per example",
            where="write_report: pictures",
            got=f"{len(array)} rows for {len(first)} examples",
        )
    return array

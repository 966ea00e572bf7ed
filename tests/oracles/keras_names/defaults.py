"""Defaults of arguments that a class of ours and its namesake share."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

from oracles.keras_names.names import Pair, class_of

WORDS = {
    ("reduction", "mean"): "sum_over_batch_size",
    ("activation", "linear"): None,
    ("data_format", "channels_last"): None,
}
"""Values that are written differently here, by Keras' name of the argument."""

AXIS = ("MaxNorm", "MinMaxNorm", "UnitNorm")

DIFFERENT: dict[Pair, set[str]] = {
    ("F1Score", "metrics.F1Score"): {"average", "threshold"},
    ("LeakyReLU", "layers.LeakyReLU"): {"negative_slope"},
    **{(name, f"constraints.{name}"): {"axis"} for name in AXIS},
}
"""Defaults that differ on purpose; a row of the name says why."""


def differing(keras: Any, pair: Pair) -> dict[str, tuple[Any, Any]]:
    """Return the shared arguments whose defaults differ: theirs and ours.

    An argument that is required on either side is skipped, because it cannot differ silently.
    """
    ours, theirs = class_of(keras, pair)
    if not dataclasses.is_dataclass(ours):
        return {}
    call = theirs.__init__ if inspect.isclass(theirs) else theirs
    native = {p.name: p.default for p in inspect.signature(call).parameters.values()}
    found = {}
    for field in dataclasses.fields(ours):
        name = field.name
        if name not in native or name == "name":
            continue
        mine = _default(field)
        mine = WORDS.get((name, mine), mine) if _hashable(mine) else mine
        if not _same(mine, native[name]):
            found[name] = (native[name], mine)
    return found


REQUIRED = "required"


def _default(field: dataclasses.Field[Any]) -> Any:
    return REQUIRED if field.default is dataclasses.MISSING else field.default


def _hashable(value: Any) -> bool:
    return isinstance(value, (str, int, float, bool, type(None)))


def _same(mine: Any, theirs: Any) -> bool:
    """Compare defaults; (2, 2) and ((1, 1), (1, 1)) are 2 and 1 for every axis."""
    if theirs is inspect.Parameter.empty or mine == REQUIRED:
        return True
    while isinstance(theirs, (tuple, list)) and theirs and not isinstance(mine, (tuple, list)):
        if len(set(theirs)) > 1:
            return False
        theirs = theirs[0]
    if isinstance(mine, (int, float)) and isinstance(theirs, (int, float)):
        return float(mine) == float(theirs)
    if isinstance(mine, str) and isinstance(theirs, str):
        return mine.lower() == theirs.lower()
    return bool(mine == theirs)

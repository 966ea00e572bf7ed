"""The arguments and defaults of Keras' classes: a table that tools/keras_arguments.py writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

TABLE = Path(__file__).with_name("arguments.json")


class Arguments(NamedTuple):
    """The arguments of a class.

    Attributes:
        required: those without a default, in order.
        defaults: the default of each other argument.
    """

    required: tuple[str, ...]
    defaults: Mapping[str, Any]


@cache
def _table() -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads(TABLE.read_text("utf-8"))
    return found


def arguments_of(name: str) -> Arguments | None:
    """Return the arguments of a class of Keras; None for one that Keras does not have.

    Example:
        >>> arguments_of("keras.layers.Dense").required
        ('units',)
    """
    row = _table().get(name)
    return None if row is None else Arguments(tuple(row["required"]), row["defaults"])

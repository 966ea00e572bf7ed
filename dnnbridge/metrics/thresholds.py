"""Thresholds of predictions, and counts of predictions between evenly spaced thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import PlainValidator

from dnnbridge import ops
from dnnbridge.base.messages import shorten
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.metrics.answers import indicator
from dnnbridge.specs.fields import Converted, numbers
from dnnbridge.specs.json_types import listed, read_as


def as_thresholds(value: Any) -> float | tuple[float, ...] | None:
    """Return one threshold, several as a tuple, or None."""
    if value is None:
        return None
    made = numbers(value)
    if isinstance(made, tuple) and not all(isinstance(each, float) for each in made):
        raise SpecError("expected a number or a list of numbers", got=shorten(value))
    return made


_NUMBER = {"type": "number"}

Thresholds = Converted[
    float | tuple[float, ...] | None,
    Annotated[
        float | Sequence[float] | None,
        PlainValidator(as_thresholds),
        read_as(_NUMBER, listed(_NUMBER, least=1), {"type": "null"}),
    ],
]
"""Field of one threshold, a list of them, or None."""


def read(threshold: float) -> float:
    """Return a threshold as backends read it: the nearest float32."""
    return float(np.float32(threshold))


def above(
    prediction: Value, thresholds: float | tuple[float, ...], chosen: Value | None = None
) -> Value:
    """Return 1.0 where a prediction is above a threshold.

    Args:
        prediction: (…, classes).
        thresholds: one, or several: the result is then (…, thresholds, classes).
        chosen: 0.0 for predictions that are above no threshold; by default there are none.
    """
    several = thresholds if isinstance(thresholds, tuple) else (thresholds,)
    if len(several) == 1:
        made = indicator(prediction > read(several[0]))
        return made if chosen is None else made * chosen
    levels = np.asarray([[read(each)] for each in several])
    made = indicator(_row(prediction) > prediction.builder.constant(levels))
    return made if chosen is None else made * _row(chosen)


def _row(x: Value) -> Value:
    """Return (…, classes) as (…, 1, classes)."""
    return ops.reshape(x, (*x.shape[:-1], 1, x.shape[-1]))


def below(prediction: Value, thresholds: int) -> Value:
    """Return how many of evenly spaced thresholds from 0 to 1 are less than each prediction.

    A prediction outside [0, 1] counts as the nearest end.
    """
    x = ops.clip(prediction, 0.0, 1.0) * (thresholds - 1.0)
    floor = ops.cast(ops.cast(x, "int32"), "float32")
    return floor + indicator(x > floor)


def histogram(place: Value, target: Value, places: int) -> Value:
    """Return the one-hot row of place, or of places + place for a label of 1."""
    bucket = place + float(places) * indicator(target > 0.5)
    return ops.one_hot(ops.cast(bucket, "int32"), 2 * places)

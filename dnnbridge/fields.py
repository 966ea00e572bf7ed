"""Field types of specs: numbers that are checked, not coerced."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field


def _plain(value: Any) -> Any:
    """NumPy scalars become Python ones, so that JSON holds them."""
    return value.item() if isinstance(value, np.generic) else value


_Plain = BeforeValidator(_plain)

Int = Annotated[int, Field(strict=True), _Plain]
PositiveInt = Annotated[int, Field(strict=True, gt=0), _Plain]
NonNegativeInt = Annotated[int, Field(strict=True, ge=0), _Plain]
Float = Annotated[float, Field(strict=True, allow_inf_nan=False), _Plain]
PositiveFloat = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False), _Plain]
NonNegativeFloat = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False), _Plain]
Fraction = Annotated[float, Field(strict=True, ge=0, lt=1, allow_inf_nan=False), _Plain]
"""A float in [0, 1): a dropout rate, a momentum."""
OpenFraction = Annotated[float, Field(strict=True, gt=0, lt=1, allow_inf_nan=False), _Plain]
"""A float in (0, 1): a small number that keeps logarithms finite."""
Bool = Annotated[bool, Field(strict=True), _Plain]
Shape = tuple[PositiveInt, ...]
"""Sizes of one example, without the batch; lists are taken too."""

"""Fields of a number in [0, 1) that may change with the step: a momentum, a rate of dropout."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from dnnbridge.errors import SpecError
from dnnbridge.schedules.base import AbstractSchedule, ConstantSchedule, as_schedule
from dnnbridge.specs.fields import Fraction
from dnnbridge.specs.json_types import NOT_NEGATIVE, listed, of_kind, one_of
from dnnbridge.specs.spec import spec


class _FractionOrSchedule:
    """Checks a number as a `Fraction`; a constant schedule becomes a number, a list a table."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def resolve(value: Any, check: core_schema.ValidatorFunctionWrapHandler) -> Any:
            if isinstance(value, ConstantSchedule):
                return check(value.value)
            if isinstance(value, (list, tuple, np.ndarray)):
                return as_schedule(value)
            return value if isinstance(value, AbstractSchedule) else check(value)

        checked = handler.generate_schema(Fraction)
        return core_schema.no_info_wrap_validator_function(resolve, checked)

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return dict(one_of(handler(core), of_kind(AbstractSchedule), listed(NOT_NEGATIVE, least=1)))


FractionLike = Annotated[float | AbstractSchedule, _FractionOrSchedule()]
"""Field of a number in [0, 1), or a schedule or list of such numbers.

A number becomes a constant of the graph. A schedule becomes a host scalar.
"""


def fraction_at(value: float | AbstractSchedule, step: int) -> float:
    """Return the value at a step, which must be in [0, 1)."""
    if not isinstance(value, AbstractSchedule):
        return value
    found = value(step)
    if not 0.0 <= found < 1.0:
        raise SpecError(
            "a value of the schedule is outside of [0, 1)",
            where=type(value).__name__,
            got=f"{found!r} at step {step}",
            hint="A momentum or dropout rate must be 0 or more and less than 1.",
        )
    return found


@spec
class KeepRate(AbstractSchedule):
    """1 - rate, rounded to float32; every backend compares dropout's random numbers with it

    Args:
        rate: a schedule of the dropped share.

    Example:
        >>> from dnnbridge import PiecewiseConstant
        >>> KeepRate(PiecewiseConstant((2,), (0.5, 0.25))).values(3)
        [0.5, 0.5, 0.75]
    """

    rate: FractionLike

    def __call__(self, step: int) -> float:
        return float(np.float32(1.0 - fraction_at(self.rate, step)))

"""Numbers that an optimizer computes anew for every step, as expressions of `step`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from dnnbridge.formats.keras.writing.parts import fields_of
from dnnbridge.formats.mindspore.writing.schedules import ScheduleWriter
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.optimizers.means import nearest_float32
from dnnbridge.schedules import AbstractSchedule
from dnnbridge.specs.spec import Spec

PROBES = (*range(24), 99, 100, 101, 1000, 4096, 12345)
"""Steps at which an expression must give the number of the optimizer."""

Function = Callable[[int], float]

Form = tuple[str, Function]
"""An expression of `step`, and the same as a function."""


def scalar_source(optimizer: AbstractOptimizer, name: str, schedules: ScheduleWriter) -> str | None:
    """Return the expression of a host scalar; None if none of the known forms gives its values.

    Args:
        optimizer: the optimizer.
        name: of the scalar in `host_scalars`.
        schedules: writes the schedules that the expression reads.
    """
    try:
        wanted = [optimizer.host_scalars(step)[name] for step in PROBES]
    except Exception:  # a schedule that ends: its values are not known for all probes
        return None
    if len(set(wanted)) == 1:
        return repr(wanted[0])
    for text, function in _forms(optimizer, wanted, schedules):
        if all(_equal(function(step), value) for step, value in zip(PROBES, wanted, strict=True)):
            return text
    for spec in _inner(optimizer):
        for key in spec.scalars(0) if isinstance(spec, AbstractOptimizer) else ():
            given = [spec.scalars(step)[key] for step in PROBES]
            made = schedules.numbers(spec) if given == wanted else None
            if made is not None:
                return f"{made}.scalars(step)[{key!r}]"
    return None


def _equal(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-12, abs_tol=0.0)


def _forms(
    optimizer: AbstractOptimizer, wanted: list[float], schedules: ScheduleWriter
) -> Iterator[Form]:
    """Yield expressions with the numbers of an optimizer and of those inside it."""
    for spec in _inner(optimizer):
        for value in fields_of(spec).values():
            if isinstance(value, AbstractSchedule):
                yield from _of_schedule(spec, value, wanted, schedules)
            elif type(value) is int and value > 0:
                yield f"float((step + 1) % {value} == 0)", _every(value)
        for beta in _floats(getattr(spec, "beta_1", None)):
            yield f"1.0 / {_rest(beta)}", _product(1.0, one=beta)
        for beta in _floats(getattr(spec, "beta_2", None)):
            epsilon = float(getattr(spec, "epsilon", 0.0))
            yield f"{epsilon!r} * math.sqrt{_rest(beta)}", _product(epsilon, root=beta)
            yield f"1.0 / {_rest(beta)}", _product(1.0, one=beta)
            yield f"1.0 / math.sqrt{_rest(beta)}", _product(1.0, under=beta)
    for last in range(len(PROBES) - 2):
        before, after = wanted[: last + 1], wanted[last + 1 :]
        if len(set(before)) == len(set(after)) == 1:
            text = f"{before[0]!r} if step <= {PROBES[last]} else {after[0]!r}"
            yield text, _stair(PROBES[last], before[0], after[0])


def _inner(spec: Any) -> Iterator[Any]:
    """Yield a spec and the specs in its fields."""
    yield spec
    for value in fields_of(spec).values():
        if isinstance(value, Spec) and not isinstance(value, AbstractSchedule):
            yield from _inner(value)


def _of_schedule(
    spec: Any, rate: AbstractSchedule, wanted: list[float], schedules: ScheduleWriter
) -> Iterator[Form]:
    """Yield expressions with a schedule of a spec and its decay rates of moments."""
    at = schedules.at(rate, "step")
    yield at, rate
    if rate(0):
        factor = wanted[0] / rate(0)
        yield f"{factor!r} * {at}", _product(factor, rate)
    for one in _floats(getattr(spec, "beta_1", None)):
        yield f"{at} / {_rest(one)}", _product(1.0, rate, one=one)
        for two in _floats(getattr(spec, "beta_2", None)):
            text = f"{at} * math.sqrt{_rest(two)} / {_rest(one)}"
            yield text, _product(1.0, rate, one=one, root=two)


def _rest(beta: float) -> str:
    return f"(1.0 - {beta!r} ** (step + 1))"


def _product(
    factor: float,
    rate: Function | None = None,
    *,
    one: float = 0.0,
    root: float = 0.0,
    under: float = 0.0,
) -> Function:
    """Return factor · rate · √(1 - rootᵗ) / ((1 - oneᵗ) √(1 - underᵗ)) as a function of t - 1."""

    def value(step: int) -> float:
        t = step + 1
        made = factor * (rate(step) if rate else 1.0) * math.sqrt(1.0 - root**t)
        return made / (1.0 - one**t) / math.sqrt(1.0 - under**t)

    return value


def _every(count: int) -> Function:
    return lambda step: float((step + 1) % count == 0)


def _stair(last: int, before: float, after: float) -> Function:
    return lambda step: before if step <= last else after


def _floats(value: Any) -> tuple[float, ...]:
    """Return a number, and the nearest float32, which some equations have in its place."""
    if not isinstance(value, float):
        return ()
    return tuple(dict.fromkeys((nearest_float32(value), value)))

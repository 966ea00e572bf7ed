"""How many steps show the form of a schedule."""

from __future__ import annotations

import dataclasses
from typing import Any

from dnnbridge.specs.spec import Spec

LEAST = 100
"""Steps for a schedule that has no length of its own."""

CYCLES = ("step_size", "first_decay_steps")
"""Fields with the length of a cycle, of which two and a half are shown."""

EPOCH = "steps_per_epoch"
"""A field that says how many steps count as one for the schedule inside."""


def extent(schedule: Spec) -> int:
    """Return a number of steps in which a schedule shows its form.

    It is a quarter more than the longest length in its fields, or two and a half cycles.

    Example:
        >>> from dnnbridge import CosineDecay, ConstantSchedule, PerEpoch, Warmup
        >>> extent(CosineDecay(0.1, 4000)), extent(ConstantSchedule(0.1))
        (5000, 100)
        >>> extent(Warmup(CosineDecay(0.1, 4000), steps=8000))
        10000
        >>> extent(PerEpoch(CosineDecay(0.1, 8), steps_per_epoch=50))
        500
    """
    return _longest(schedule) or LEAST


def _longest(schedule: Spec) -> int:
    fields = {f.name: getattr(schedule, f.name) for f in dataclasses.fields(schedule)}  # type: ignore[arg-type]
    if EPOCH in fields:
        inner = max(_of_field(name, fields[name]) for name in fields if name != EPOCH)
        return int((inner or LEAST) * fields[EPOCH])
    return max((_of_field(name, value) for name, value in fields.items()), default=0)


def _of_field(name: str, value: Any) -> int:
    if isinstance(value, Spec):
        return _longest(value)
    if isinstance(value, tuple) and value:
        if isinstance(value[0], Spec):
            return max(map(_longest, value))
        if name == "boundaries":
            return _quarter_more(max(value))
        return len(value) if name == "table" else 0
    if name in CYCLES:
        return int(value * 5 // 2)
    return _quarter_more(value) if "steps" in name and isinstance(value, int) else 0


def _quarter_more(length: int) -> int:
    return length + length // 4

"""`from_native`: the spec of a live optimizer of a framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnbridge.base.warning import NativeDifferenceWarning as NativeDifferenceWarning
from dnnbridge.errors import SpecError
from dnnbridge.optimizers.base import AbstractOptimizer
from dnnbridge.schedules.table import TableSchedule


@dataclass(frozen=True)
class NativeOptions:
    """What a native optimizer does not say of itself.

    Attributes:
        names: our name of a weight, of the native one; None is what the backend takes it to be.
        exempt: patterns of weights that do not decay, besides those that are known.
        steps: how many values of a schedule are read, if it is not one of the framework's own.
    """

    names: Callable[[str], str] | None = None
    exempt: tuple[str, ...] = ()
    steps: int | None = None

    def tabulated(self, schedule: Callable[[int], float], what: str) -> TableSchedule:
        """Return the values of a schedule that only the framework can compute."""
        if self.steps is None:
            raise SpecError(
                "is not a schedule that can be read",
                where="from_native",
                got=what,
                hint="Give steps=… to take that many of its values, or replace the rate: "
                "optimizer.with_rate(lambda rate: …).",
            )
        return TableSchedule(tuple(schedule(step) for step in range(self.steps)))


def from_native(
    optimizer: Any,
    *,
    names: Mapping[str, str] | Callable[[str], str] | None = None,
    exempt: Sequence[str] = (),
    steps: int | None = None,
) -> AbstractOptimizer:
    """Return the spec of a `keras.optimizers`, `mindspore.nn` or experimental optimizer.

    Its learning rate, schedule, weight decay, clipping and groups come along; what it has
    accumulated so far does not. Docs: `docs/migrating.md` has a table of all classes and of what
    differs. Where a native class does not compute what it documents, the spec does, with a
    `NativeDifferenceWarning`.

    Args:
        optimizer: the live object. Its class must be the framework's own, not a subclass.
        names: how weights are called here, by their native name; needed for groups, whose
            weights would otherwise have their native name with "/" for "." and "kernel" for
            "weight".
        exempt: patterns of weights that do not decay. Keras keeps what
            `exclude_from_weight_decay` was given in private attributes: say it here again.
        steps: how many values of a schedule are read if it is not one of the framework's own.

    Raises:
        SpecError: there is no such spec; the message says what to write.
    """
    from dnnbridge.backend.plugins import read_native

    translate = names.__getitem__ if isinstance(names, Mapping) else names
    found = read_native(optimizer, NativeOptions(translate, tuple(exempt), steps))
    if found is None:
        raise SpecError(
            "is no optimizer that a backend knows",
            where="from_native",
            got=f"the class {optimizer.__qualname__}"
            if isinstance(optimizer, type)
            else f"{type(optimizer).__module__}.{type(optimizer).__qualname__}",
            hint="Give the live object."
            if isinstance(optimizer, type)
            else "Write its update as a class of dnnbridge: see CONTRIBUTING.md.",
        )
    return found


def shortest(value: float) -> float:
    """Return the number that was meant by a float32: 0.1 for 0.10000000149011612.

    Example:
        >>> shortest(0.10000000149011612), shortest(0.1), shortest(1 / 3)
        (0.1, 0.1, 0.3333333333333333)
    """
    rounded = np.float32(value)
    return float(str(rounded)) if float(rounded) == value else value

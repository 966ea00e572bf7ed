"""`AbstractOptimizer`: an update equation per parameter, and numbers that depend on the step."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.initializers import AbstractInitializer, Zeros
from dnnbridge.optimizers.updates import DECAY, Updates, Weight
from dnnbridge.optimizers.weight_decay import WeightDecayField
from dnnbridge.schedules import AbstractSchedule, as_schedule, fraction_at
from dnnbridge.specs.fields import default
from dnnbridge.specs.spec import Spec, base_spec


class Slot(NamedTuple):
    """An array that an optimizer keeps for a parameter: its shape and initializer."""

    shape: tuple[int, ...]
    initializer: AbstractInitializer = Zeros()


T = TypeVar("T")

Slots = Mapping[str, Value]
"""The arrays of `slots`, by name."""

Scalars = Mapping[str, Value]
"""Rank-0 values that `scalars` computed on the host."""


ChangeOfRate = Callable[[AbstractSchedule], float | AbstractSchedule]
"""Maps a learning rate to a new one."""


@base_spec(kw_only=True)
class AbstractOptimizer(Spec):
    """Base of optimizers. A subclass defines `update`, and `slots` for the arrays that it keeps.

    It defines `scalars` if the update needs other numbers of the step than the learning rate.
    Compute everything that depends only on the step and on hyper-parameters in `scalars`. It is
    computed in float64 and fed to the compiled step, so a new value needs no new compilation.

    Args:
        weight_decay: the weight decay, applied before the update. A number is the rate of a
            `DecoupledWeightDecay` of all weights.
    """

    waits: ClassVar[bool] = False
    """Whether some steps make no update."""

    weight_decay: WeightDecayField = default(None)

    @property
    def leaves_rows(self) -> bool:
        """Whether a row with gradient 0 keeps its value and slots, and no row affects another.

        A row is an element of the first axis. If True, a backend can update only those rows of a
        large table that the batch reads. Weight decay is separate: it comes before the update.
        """
        return False

    def slots(self, shape: tuple[int, ...]) -> dict[str, Slot]:
        """Return the arrays kept for a parameter of this shape."""
        return {}

    @property
    def average(self) -> str | None:
        """Name of the slot that holds averaged weights, which `Run.averages` returns."""
        return None

    def scalars(self, step: int) -> dict[str, float]:
        """Return the host scalars of the update number `step`, counted from 0.

        By default this is the learning rate, of the field `learning_rate`.
        """
        return {"learning_rate": self.rate(step)}

    @abstractmethod
    def update(self, p: Value, g: Value, slots: Slots, scalars: Scalars) -> tuple[Value, Slots]:
        """Write the update of one parameter `p` with gradient `g`: the new `p` and slots."""

    def update_rows(
        self, p: Value, g: Value, slots: Slots, scalars: Scalars, axes: int
    ) -> tuple[Value, Slots]:
        """Write the update of rows of `p`, each of which has the last `axes` axes of `p`.

        By default the equation of `update`. Override it if that equation combines elements of a
        row.
        """
        return self.update(p, g, slots, scalars)

    def named(self, given: Sequence[T]) -> dict[str, T]:
        """Name the arguments of an update call after p and g: slots, then host scalars."""
        return dict(zip([*self.slots(()), *self.scalars(0)], given, strict=True))

    def emit(self, updates: Updates, weights: Sequence[Weight]) -> None:
        """Write the updates of all parameters, each by itself."""
        if self.weight_decay is not None:
            self.weight_decay.check(updates.names)
        for weight in weights:
            updates.record(self, weight)

    def host_scalars(self, step: int) -> dict[str, float]:
        """Return all host scalars of an update, including that of the weight decay."""
        decay = self.weight_decay
        if decay is None:
            return self.scalars(step)
        return self.scalars(step) | {DECAY: decay.factor(step, self.rate)}

    def rate(self, step: int) -> float:
        """Return the learning rate of the update number `step`."""
        return self._schedule(step)

    def with_rate(self, change: ChangeOfRate) -> Self:
        """Return a copy whose learning rate is `change(rate)`."""
        changes: dict[str, Any] = {"learning_rate": change(self._schedule)}
        return self.replace(**changes)

    @property
    def _schedule(self) -> AbstractSchedule:
        if not hasattr(self, "learning_rate"):
            raise SpecError("has no field learning_rate", where=type(self).__name__)
        return as_schedule(self.learning_rate)  # a class of one's own may hold a number


def scheduled(step: int, **values: float | AbstractSchedule) -> dict[str, float]:
    """Return the host scalars of the hyper-parameters in [0, 1) that a schedule changes."""
    changing = {name: v for name, v in values.items() if isinstance(v, AbstractSchedule)}
    return {name: fraction_at(value, step) for name, value in changing.items()}


def present(scalars: Scalars, name: str, value: float | AbstractSchedule) -> Value | float:
    """Return a hyper-parameter: its number, or the host scalar of its schedule."""
    return scalars[name] if isinstance(value, AbstractSchedule) else value

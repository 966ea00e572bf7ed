"""Whether a better model has a lower or a higher metric."""

from __future__ import annotations

from dnnbridge.losses import AbstractLoss
from dnnbridge.metrics.base import AbstractMetric, Goal
from dnnbridge.specs.spec import alias_of, kinds


def goal_of(label: str) -> Goal | None:
    """Return the goal of a metric or loss by its name in the history; None where none is known.

    Example:
        >>> goal_of("val_accuracy"), goal_of("loss"), goal_of("temperature")
        ('max', 'min', None)
    """
    name = label.removeprefix("val_")
    goals: dict[str, Goal | None] = {"loss": "min"}
    goals |= {alias_of(cls): "min" for cls in kinds(AbstractLoss)}
    goals |= {alias_of(cls): cls.goal for cls in kinds(AbstractMetric)}
    return goals.get(name)

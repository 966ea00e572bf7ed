"""Whether a better model has a lower or a higher metric."""

from __future__ import annotations

import importlib
from typing import Literal

from dnnbridge.specs.former_names import present_label
from dnnbridge.specs.spec import Spec, alias_of, kinds

Goal = Literal["min", "max"]
"""Whether a better model has the lower ("min") or the higher ("max") metric."""


def goal_of(label: str) -> Goal | None:
    """Return the goal of a metric or loss by its name in the history; None if it is unknown.

    The class attribute `goal` of losses and metrics defines it.

    Example:
        >>> goal_of("val_accuracy"), goal_of("loss"), goal_of("temperature")
        ('max', 'min', None)
    """
    name = present_label(label.removeprefix("val_"))
    if name not in (goals := _goals()):
        importlib.import_module("dnnbridge.experiment")  # registers all losses and metrics of core
        goals = _goals()
    return goals.get(name)


def _goals() -> dict[str, Goal | None]:
    goals: dict[str, Goal | None] = {"loss": "min"}
    return goals | {alias_of(cls): cls.goal for cls in kinds(Spec) if hasattr(cls, "goal")}

"""The lists for the pages: the entries of core, their families, and the backends."""

from __future__ import annotations

import inspect
import sys

from dnnbridge.specs.spec import Spec, kind_of, kinds

BACKENDS = ("tensorflow", "mindspore", "reference")

FAMILIES = {
    "layer": "Layers",
    "activation": "Activations",
    "loss": "Losses",
    "metric": "Metrics",
    "optimizer": "Optimizers",
    "gradient_rule": "Rules for gradients",
    "weight_decay": "Weight decay",
    "loss_scale": "Loss scales",
    "precision": "Precisions",
    "regularizer": "Regularizers",
    "constraint": "Constraints",
    "initializer": "Initializers",
    "schedule": "Schedules",
}


def registered() -> dict[str, type[Spec]]:
    """Return every class of core that can stand in an experiment, by kind."""
    return {kind_of(cls): cls for cls in kinds(Spec) if _is_of_core(cls)}


def _is_of_core(cls: type[Spec]) -> bool:
    """Return whether a module of core defines a class. Classes in doctests are excluded."""
    held = getattr(sys.modules[cls.__module__], cls.__name__, None) is cls
    return held and cls.__module__.startswith("dnnbridge.") and ".testing" not in cls.__module__


def summary(value: object) -> str:
    """Return the first line of a docstring, as a cell of a table."""
    return (inspect.getdoc(value) or "").splitlines()[0].replace("|", "\\|")

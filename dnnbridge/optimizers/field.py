"""Optimizers as an experiment takes them: specs and names."""

from __future__ import annotations

from typing import Any

from dnnbridge.optimizers.base import AbstractOptimizer
from dnnbridge.specs.resolving import named


def _as_keras_does(cls: type[AbstractOptimizer]) -> AbstractOptimizer:
    """Make an optimizer of its name: the names are those of Keras, and so are the defaults."""
    make = getattr(cls, "keras", cls)
    made: AbstractOptimizer = make()
    return made


_resolve = named(AbstractOptimizer, _as_keras_does)


def as_optimizer(value: Any) -> AbstractOptimizer:
    """Return an optimizer as it is; a name stands for the one of Keras, with its defaults.

    Example:
        >>> as_optimizer("adam").epsilon
        1e-07
    """
    return _resolve(value)

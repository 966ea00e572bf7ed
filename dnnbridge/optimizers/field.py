"""The optimizer field of an experiment: takes a spec or a name."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainValidator

from dnnbridge.optimizers.base import AbstractOptimizer
from dnnbridge.specs.fields import Converted
from dnnbridge.specs.json_types import by_name, of_kind, read_as
from dnnbridge.specs.resolving import named


def _as_keras_does(cls: type[AbstractOptimizer]) -> AbstractOptimizer:
    """Make an optimizer with Keras' defaults, because its name is a Keras name."""
    make = getattr(cls, "keras", cls)
    made: AbstractOptimizer = make()
    return made


_resolve = named(AbstractOptimizer, _as_keras_does)


def as_optimizer(value: Any) -> AbstractOptimizer:
    """Return an optimizer unchanged; turn a name into that optimizer with Keras' defaults.

    Example:
        >>> as_optimizer("adam").epsilon
        1e-07
    """
    return _resolve(value)


OptimizerLike = Annotated[
    str | AbstractOptimizer,
    PlainValidator(as_optimizer),
    read_as(of_kind(AbstractOptimizer), by_name(AbstractOptimizer)),
]
"""Field of an optimizer, or the name of one."""

OptimizerField = Converted[AbstractOptimizer, OptimizerLike]
"""What it holds once it is made."""

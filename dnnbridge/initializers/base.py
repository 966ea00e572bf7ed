"""`AbstractInitializer`: draws in float64 and rounds to float32 once, for all backends."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import PlainValidator

from dnnbridge.specs.fields import Converted
from dnnbridge.specs.json_types import by_name, of_kind, read_as
from dnnbridge.specs.resolving import named
from dnnbridge.specs.spec import Spec

Array = npt.NDArray[np.float64]


class AbstractInitializer(Spec):
    """Base of initializers. A subclass defines `sample`."""

    @classmethod
    def of_field(cls, value: Any) -> AbstractInitializer:
        return as_initializer(value)

    @abstractmethod
    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Return an array of the shape; all randomness comes from `rng`."""

    def __call__(self, shape: tuple[int, ...], seed: int = 0) -> Array:
        """Return an array of the shape, drawn from a seed, in float64.

        A compiled experiment draws from its own seed and the name of each weight.

        Example:
            >>> from dnnbridge import Constant
            >>> Constant(0.5)((1, 2))
            array([[0.5, 0.5]])
        """
        return self.sample(np.random.Generator(np.random.Philox(seed)), tuple(shape))


def fans(shape: tuple[int, ...]) -> tuple[float, float]:
    """Return fan-in and fan-out of a kernel of shape (…, in, out); for a vector, both its size."""
    if len(shape) < 2:
        size = float(math.prod(shape))
        return size, size
    receptive_field = math.prod(shape[:-2])
    return float(receptive_field * shape[-2]), float(receptive_field * shape[-1])


as_initializer = named(AbstractInitializer)

InitializerLike = Annotated[
    str | AbstractInitializer,
    PlainValidator(as_initializer),
    read_as(of_kind(AbstractInitializer), by_name(AbstractInitializer)),
]
"""Field of an initializer or the name of one."""

InitializerField = Converted[AbstractInitializer, InitializerLike]
"""What the field holds after validation."""

OptionalInitializerField = Converted[AbstractInitializer | None, InitializerLike | None]
"""The same for an optional initializer."""

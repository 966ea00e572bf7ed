"""Layers that bring the inputs of a model to a common scale."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import BeforeValidator

from dnnbridge import ops
from dnnbridge.base.messages import shorten
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.initializers import Ones, Zeros
from dnnbridge.layers.adapting import mean_and_variance
from dnnbridge.layers.affine import along
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.ops.reductions import normal_axes
from dnnbridge.specs.fields import Bool, Converted, Int, Numbers, NumbersLike, default
from dnnbridge.specs.spec import spec

SMALLEST_DEVIATION = 1e-7
"""Least standard deviation that Normalization divides by, as in Keras."""


def _none_if_empty(axis: Any) -> Any:
    return None if isinstance(axis, (tuple, list)) and not axis else axis


KeptAxes = Annotated[Int | tuple[Int, ...] | None, BeforeValidator(_none_if_empty)]
"""Axes; None or an empty list means none."""


@spec
class Rescaling(AbstractLayer):
    """scale · x + offset; an int32 input becomes float32

    Args:
        scale: a number, or an array that broadcasts to one example: a list has one number per
            element of the last axis.
        offset: likewise.

    Raises:
        ShapeError: an array does not broadcast to the shape of an example.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((28, 28)), Rescaling(1 / 255)]).output_shape
        (None, 28, 28)
        >>> Rescaling([1, 2], offset=-1)
        Rescaling(scale=(1.0, 2.0), offset=-1.0)
    """

    scale: Numbers
    offset: Numbers = default(0.0)

    passes_mask: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        y = _floats(x) * self._operand(scope, x, "scale")
        return y if self.offset == 0.0 else y + self._operand(scope, x, "offset")

    def _operand(self, scope: Scope, x: Value, name: str) -> Value | float:
        given = getattr(self, name)
        if isinstance(given, float):
            return given
        array = np.array(given)
        scope.require(
            array.ndim < x.rank and _fits(array.shape, x.shape[1:]),
            f"{name} must broadcast to the shape of one example",
            got=f"shape {array.shape} for ({shape_text(x.shape[1:])})",
        )
        return scope.constant(array)


@spec
class Normalization(AbstractLayer):
    """(x - mean) / √variance, with a mean and a variance that are given and not trained

    An int32 input becomes float32. Standard deviations are at least 1e-7, as in Keras. `adapt`
    returns the layer with mean and variance of data. Without them the layer has the buffers `mean`
    and `variance`, which start at 0 and 1, so `compile` warns. `run.set_weights` sets them, and
    `from_keras` sets those of an adapted layer.

    Args:
        axis: the axes along which each index has its own mean and variance, except the batch.
            None: one mean and one variance for all elements.
        mean: a number, or an array with the sizes of the axes, or one that broadcasts to them.
        variance: likewise, of the same shape.
        invert: whether to compute mean + √variance · x instead, which undoes the normalisation.

    Raises:
        SpecError: only one of mean and variance is given, their shapes differ, they have more axes
            than `axis`, or a variance is negative.
        ShapeError: an axis is the batch or is not there, or the mean does not fit the input.

    Example:
        >>> Normalization.of([[0.0, 7.0], [2.0, 9.0], [0.0, 7.0], [2.0, 9.0]])
        Normalization(mean=(1.0, 8.0), variance=(1.0, 1.0))
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((5, 2)), Normalization(mean=3, variance=2)]).output_shape
        (None, 5, 2)
    """

    axis: KeptAxes = -1
    mean: Converted[float | tuple[Any, ...] | None, NumbersLike | None] = default(None)
    variance: Converted[float | tuple[Any, ...] | None, NumbersLike | None] = default(None)
    invert: Bool = False

    passes_mask: ClassVar[bool] = True

    def __post_init__(self) -> None:
        mean, variance = self.mean, self.variance
        if mean is None and variance is None:
            return
        if mean is None or variance is None or np.shape(mean) != np.shape(variance):
            got = f"mean={shorten(mean, 40)} and variance={shorten(variance, 40)}"
            raise SpecError("mean and variance must be given together, with one shape", got=got)
        if np.ndim(mean) > len(_tuple(self.axis)):
            raise SpecError(
                "has more axes than `axis` names",
                where=".mean",
                got=f"shape {np.shape(mean)} for axis {self.axis}",
            )
        if np.min(variance) < 0.0:
            raise SpecError("must not be negative", where=".variance", got=shorten(variance))

    @classmethod
    def of(cls, data: Any, axis: int | tuple[int, ...] | None = -1, invert: bool = False) -> Self:
        """Return the layer with mean and variance of data, computed in float64.

        Args:
            data: an array whose first axis is the batch, or an iterable of batches.
            axis: as in the class.
            invert: as in the class.

        Raises:
            SpecError: the data are empty or not finite, or have no such axis.
        """
        mean, variance = mean_and_variance(data, axis, "Normalization.of")
        return cls(axis, mean, variance, invert)

    def adapt(self, data: Any) -> Self:
        """Return the layer with mean and variance of data, in place of those it has.

        They are computed in float64, in one pass.

        Args:
            data: an array whose first axis is the batch, or an iterable of batches. Of a batch
                that is a tuple the first part counts: (x, y).

        Raises:
            SpecError: the data are empty or not finite, or have no such axis.

        Example:
            >>> Normalization(name="scale").adapt([[0.0, 7.0], [2.0, 9.0]])
            Normalization(mean=(1.0, 8.0), variance=(1.0, 1.0), name='scale')
        """
        mean, variance = mean_and_variance(data, self.axis, "Normalization.adapt")
        return self.replace(mean=mean, variance=variance)

    def emit(self, scope: Scope, x: Value) -> Value:
        axes = normal_axes(x, _tuple(self.axis))
        scope.require(
            0 not in axes,
            "the axes must not include the batch",
            got=f"axis {self.axis} of shape ({shape_text(x.shape)})",
        )
        x = _floats(x)
        mean, deviation = (along(x, axes, each) for each in self._statistics(scope, x, axes))
        return mean + deviation * x if self.invert else (x - mean) / deviation

    def _statistics(self, scope: Scope, x: Value, axes: tuple[int, ...]) -> tuple[Value, Value]:
        """Return mean and standard deviation, with the sizes of the axes."""
        sizes = [scope.known(x.shape[i], "the mean") for i in axes]
        if self.mean is None or self.variance is None:
            mean = scope.buffer("mean", sizes, Zeros())
            variance = scope.buffer("variance", sizes, Ones())
            return mean, ops.maximum(ops.sqrt(variance), SMALLEST_DEVIATION)
        given = np.array(self.mean), np.maximum(np.sqrt(self.variance), SMALLEST_DEVIATION)
        scope.require(
            _fits(given[0].shape, tuple(sizes)),
            "mean and variance must broadcast to the sizes of the axes",
            got=f"shape {given[0].shape} for {tuple(sizes)}",
        )
        mean, deviation = (
            scope.constant_of(sizes, partial(np.broadcast_to, each, sizes)) for each in given
        )
        return mean, deviation


def _floats(x: Value) -> Value:
    return x if x.dtype == "float32" else ops.cast(x, "float32")


def _tuple(axis: int | tuple[int, ...] | None) -> tuple[int, ...]:
    return (axis,) if isinstance(axis, int) else axis or ()


def _fits(shape: tuple[int, ...], wider: tuple[int | None, ...]) -> bool:
    """Return whether an array of a shape broadcasts to a wider shape."""
    pairs = zip(reversed(shape), reversed(wider), strict=False)
    return len(shape) <= len(wider) and all(a in (1, b) for a, b in pairs)

"""Numbers as the numbers of the bins in which they lie."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Self

import numpy as np

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.base.messages import shorten
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.layers.adapting import batches_of, floats
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.layers.category_encoding import encoded
from dnnbridge.specs.fields import Converted, OpenFraction, PositiveInt, default
from dnnbridge.specs.sequences import RealNumbers
from dnnbridge.specs.spec import spec


@spec
class Discretization(AbstractLayer):
    """The number of the bin in which x lies: how many boundaries are not above it

    With the boundaries 0 and 1, x < 0 is in bin 0, 0 ≤ x < 1 in bin 1, and 1 ≤ x in bin 2. Write
    boundaries, or a number of bins and `adapt`. Boundaries are rounded to float32, like x, so every
    backend finds the same bin. x gets no gradient.

    Args:
        bin_boundaries: the boundaries, from low to high.
        num_bins: how many bins `adapt` is to make, with about the same number of examples in each.
        epsilon: how exactly `adapt` finds the boundaries: the part of the examples that may be on
            the other side. Smaller numbers keep more examples while it reads batches.
        output_mode: "int": int32 numbers of bins, in the shape of x. "one_hot", "multi_hot" and
            "count": vectors, as of `CategoryEncoding`.

    Raises:
        SpecError: neither boundaries nor num_bins are given, or both are; the boundaries are not
            in order; or a layer is compiled that has not been adapted.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> bins = Discretization([0.0, 1.0], output_mode="one_hot")
        >>> Sequential([Input((1,)), bins]).output_shape
        (None, 3)
        >>> Discretization(num_bins=3).adapt([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        Discretization(bin_boundaries=(2.0, 4.0))
    """

    bin_boundaries: Converted[tuple[float, ...] | None, RealNumbers | None] = default(None)
    num_bins: PositiveInt | None = None
    epsilon: OpenFraction = 0.01
    output_mode: Literal["int", "one_hot", "multi_hot", "count"] = "int"

    def __post_init__(self) -> None:
        if (self.bin_boundaries is None) == (self.num_bins is None):
            got = f"bin_boundaries={shorten(self.bin_boundaries, 40)}, num_bins={self.num_bins}"
            raise SpecError("needs either bin_boundaries or num_bins", got=got)
        if self.bin_boundaries is not None and (np.diff(self.bin_boundaries) < 0.0).any():
            raise SpecError(
                "must go from low to high",
                where=".bin_boundaries",
                got=shorten(self.bin_boundaries),
                hint="Sort them.",
            )

    def adapt(self, data: Any) -> Self:
        """Return the layer with the boundaries of bins that hold about as many examples each.

        The boundaries are those that Keras finds, in float64: of each batch every 1 / epsilon-th
        number is kept, with the number of examples for which it stands.

        Args:
            data: an array, or an iterable of batches. All numbers count, whatever their place.

        Raises:
            SpecError: the layer has boundaries, or the data are empty or not finite.
        """
        where = "Discretization.adapt"
        if self.num_bins is None:
            raise SpecError(
                "the layer has boundaries already",
                where=where,
                got=f"bin_boundaries={shorten(self.bin_boundaries, 60)}",
                hint="Write Discretization(num_bins=…).adapt(data).",
            )
        kept = Kept(np.zeros(0), np.zeros(0))
        for batch in batches_of(data, where):
            if batch.size:
                kept = _joined(_thinned(floats(batch, where), self.epsilon), kept, self.epsilon)
        if not kept.values.size:
            raise SpecError("the data are empty", where=where)
        found = _evenly(kept, 1.0 / self.num_bins).values[:-1]
        return self.replace(bin_boundaries=tuple(found.tolist()), num_bins=None)

    def emit(self, scope: Scope, x: Value) -> Value:
        if self.bin_boundaries is None:
            raise SpecError(
                "the layer has no boundaries yet",
                where=scope.path,
                got=f"num_bins={self.num_bins}",
                hint="adapt returns the layer with boundaries: layer = layer.adapt(x).",
            )
        x = x if x.dtype == "float32" else ops.cast(x, "float32")
        index = _bin_of(scope, x, np.array(self.bin_boundaries, np.float32))
        if self.output_mode == "int":
            return index
        return encoded(scope, index, self.output_mode, len(self.bin_boundaries) + 1)


def _bin_of(scope: Scope, x: Value, boundaries: Array) -> Value:
    if not boundaries.size:
        return ops.cast(x * 0.0, "int32")
    higher = scope.constant(boundaries.astype(np.float64)) > ops.reshape(x, (*x.shape, 1))
    return ops.cast(boundaries.size - ops.reduce_sum(ops.cast(higher, "float32"), -1), "int32")


class Kept(NamedTuple):
    """Some numbers of the data, in order, each with the number of examples for which it stands."""

    values: Array
    weights: Array


def _thinned(batch: Array, epsilon: float) -> Kept:
    """Keep about 1 / epsilon numbers of a batch, at even distances in its order."""
    ordered = np.sort(batch.ravel())
    stride = max(ordered.size / (1.0 / epsilon), 1)
    values = ordered[int(stride - 1) :: int(stride)]
    return Kept(values, np.full(values.shape, stride))


def _joined(new: Kept, old: Kept, epsilon: float) -> Kept:
    values = np.concatenate([new.values, old.values])
    order = np.argsort(values, kind="stable")
    weights = np.concatenate([new.weights, old.weights])
    return _evenly(Kept(values[order], weights[order]), epsilon)


def _evenly(kept: Kept, part: float) -> Kept:
    """Return the numbers below which each multiple of a part of the examples lies."""
    if kept.values.size * part < 1:
        return kept
    wanted = part + np.arange(0.0, 1.0, part)
    below = kept.weights.cumsum()
    reached = np.interp(wanted, below / below[-1], below)
    values = np.interp(wanted, below / below[-1], kept.values)
    return Kept(values, np.diff(reached, prepend=0.0))

"""Interpolation along spatial axes, each by one matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import numpy as np

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"]
"""Names of interpolations, as in Keras."""


def _triangle(t: Array) -> Array:
    return np.maximum(0.0, 1.0 - np.abs(t))


def _cubic(t: Array) -> Array:
    """Return the cubic kernel of Keys (1981) with a = -1/2."""
    t = np.abs(t)
    near = (1.5 * t - 2.5) * t * t + 1.0
    far = ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0
    return np.where(t < 1.0, near, np.where(t < 2.0, far, 0.0))


def _lanczos(radius: float) -> Callable[[Array], Array]:
    return lambda t: np.where(np.abs(t) < radius, np.sinc(t) * np.sinc(t / radius), 0.0)


KERNELS: dict[str, Callable[[Array], Array]] = {
    "bilinear": _triangle,
    "bicubic": _cubic,
    "lanczos3": _lanczos(3.0),
    "lanczos5": _lanczos(5.0),
}
"""The weight of an element at a distance, by the name of the interpolation."""


def interpolating(n: int, m: int, interpolation: Interpolation, antialias: bool = False) -> Array:
    """Return the matrix that makes m numbers of n numbers, as in x @ matrix.

    Element i of the result lies at (i + 1/2) · n / m - 1/2. The weights of the elements around it
    are scaled to a sum of 1, also at the ends.

    Args:
        n: how many numbers there are.
        m: how many numbers are made.
        interpolation: the kernel of the weights, or "nearest".
        antialias: whether the kernel is wider by n / m when the size decreases.

    Example:
        >>> interpolating(2, 4, "bilinear").T.tolist()
        [[1.0, 0.0], [0.75, 0.25], [0.25, 0.75], [0.0, 1.0]]
    """
    place = (np.arange(m) + 0.5) * (n / m)
    if interpolation == "nearest":
        chosen = np.minimum(np.floor(place), n - 1)
        return np.asarray(np.arange(n)[:, None] == chosen, np.float64)
    width = max(n / m, 1.0) if antialias else 1.0
    weight = KERNELS[interpolation]((np.arange(n)[:, None] + 0.5 - place) / width)
    return np.asarray(weight / weight.sum(0))


def resized(
    scope: Scope,
    x: Value,
    sizes: Sequence[int],
    interpolation: Interpolation,
    antialias: bool = False,
) -> Value:
    """Interpolate the spatial axes of (batch, *spatial, channels) to these sizes."""
    for axis, size in enumerate(sizes, 1):
        n = scope.known(x.shape[axis], "the size")
        if n == size:
            continue
        order = (*(i for i in range(x.rank) if i != axis), axis)
        back = tuple(order.index(i) for i in range(x.rank))
        make = partial(interpolating, n, size, interpolation, antialias)
        matrix = scope.constant_of((n, size), make)
        x = ops.transpose(ops.transpose(x, order) @ matrix, back)
    return x

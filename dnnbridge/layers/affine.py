"""Scale and shift that follow a normalisation."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.graph import Value
from dnnbridge.initializers import InitializerLike, as_initializer
from dnnbridge.scope import Scope


def scaled(scope: Scope, x: Value, axes: tuple[int, ...], initializer: InitializerLike) -> Value:
    """Return gamma · x with an element of `gamma` per element along the axes."""
    return along(x, axes, _parameter(scope, "gamma", x, axes, initializer)) * x


def shifted(scope: Scope, x: Value, axes: tuple[int, ...], initializer: InitializerLike) -> Value:
    """Return x + beta with an element of `beta` per element along the axes."""
    return x + along(x, axes, _parameter(scope, "beta", x, axes, initializer))


def along(x: Value, axes: tuple[int, ...], array: Value) -> Value:
    """Shape an array that has the sizes of `axes` of x so that it broadcasts along them."""
    if axes == tuple(range(x.rank - len(axes), x.rank)):
        return array
    return ops.reshape(array, tuple(d if i in axes else 1 for i, d in enumerate(x.shape)))


def _parameter(
    scope: Scope, name: str, x: Value, axes: tuple[int, ...], initializer: InitializerLike
) -> Value:
    return scope.parameter(name, [x.shape[i] for i in axes], as_initializer(initializer))

"""Layers that merge several inputs into one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.specs.fields import Int
from dnnbridge.specs.spec import spec


class AbstractMerge(AbstractLayer):
    """Base of layers that combine several inputs.

    Sizes along an axis are equal, or 1: that input is then used along the whole axis. An input with
    fewer axes gets axes of size 1 after the batch, as in Keras. If all inputs have masks, a step is
    real in the result if it is real in one of them.
    """

    def mask_of(self, scope: Scope, *inputs: Value) -> Value | None:
        masks = [mask for each in inputs if (mask := scope.mask(each)) is not None]
        if len(masks) < len(inputs):
            return None
        return reduce(ops.maximum, aligned(scope, masks))


@spec
class Add(AbstractMerge):
    """Sum of two or more inputs, element by element; sizes of 1 broadcast

    `x + y` makes this layer too.

    Example:
        >>> from dnnbridge import Dense, Input, Model
        >>> x = Input((4,))
        >>> Model(x, Add()(x, Dense(4)(x))).output_shape
        (None, 4)
    """

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        return reduce(lambda a, b: a + b, aligned(scope, inputs))


@spec
class Subtract(AbstractMerge):
    """First input minus the second, element by element; sizes of 1 broadcast

    `x - y` makes this layer too.

    Example:
        >>> from dnnbridge import GlobalAveragePooling1D, Input, Model
        >>> x = Input((9, 4))
        >>> mean = GlobalAveragePooling1D(keepdims=True)(x)
        >>> Model(x, Subtract()(x, mean)).output_shape
        (None, 9, 4)
    """

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        scope.require(len(inputs) == 2, "Subtract needs two inputs", got=str(len(inputs)))
        a, b = aligned(scope, inputs)
        return a - b


@spec
class Multiply(AbstractMerge):
    """Product of two or more inputs, element by element; sizes of 1 broadcast

    `x * y` makes this layer too. An image times one number per channel is a squeeze-and-excitation
    (Hu et al., 2018). A step that the mask of an input leaves out is a factor of 1; where all
    inputs leave it out, the product is 0.

    Example:
        >>> from dnnbridge import Dense, GlobalAveragePooling2D, Input, Model
        >>> x = Input((28, 28, 8))
        >>> scale = Dense(8, "sigmoid")(GlobalAveragePooling2D(keepdims=True)(x))
        >>> Model(x, Multiply()(x, scale)).output_shape
        (None, 28, 28, 8)
    """

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        masks = _masks(scope, inputs)
        factors = [
            x if mask is None else ops.where(mask > 0.5, x, 1.0)
            for x, mask in zip(aligned(scope, inputs), masks, strict=True)
        ]
        product = reduce(lambda a, b: a * b, factors)
        real = [mask for mask in masks if mask is not None]
        if len(real) < len(masks):
            return product
        return ops.where(reduce(ops.maximum, real) > 0.5, product, 0.0)


@spec
class Divide(AbstractMerge):
    """First input divided by the second, element by element; sizes of 1 broadcast

    `x / y` makes this layer too. A division by 0 gives an infinity, or NaN for 0 / 0.

    Example:
        >>> from dnnbridge import Input, Model, Reduce
        >>> x = Input((4,))
        >>> Model(x, Divide()(x, Reduce("sum", -1, keepdims=True)(x))).output_shape
        (None, 4)
    """

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        scope.require(len(inputs) == 2, "Divide needs two inputs", got=str(len(inputs)))
        a, b = aligned(scope, inputs)
        return a / b


@spec
class Average(AbstractMerge):
    """Mean of two or more inputs, element by element; sizes of 1 broadcast

    Example:
        >>> Average().to_dict()["kind"]
        'layer.Average'
    """

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        return reduce(lambda a, b: a + b, aligned(scope, inputs)) * (1.0 / len(inputs))


@spec
class Maximum(AbstractMerge):
    """Maximum of two or more inputs, element by element; sizes of 1 broadcast

    In a tie the first gets the gradient. A step that the mask of an input leaves out does not
    count.

    Example:
        >>> Maximum().to_dict()["kind"]
        'layer.Maximum'
    """

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        return _extreme(scope, inputs, ops.maximum)


@spec
class Minimum(AbstractMerge):
    """Minimum of two or more inputs, element by element; in a tie the first gets the gradient

    A step that the mask of an input leaves out does not count.

    Example:
        >>> Minimum().to_dict()["kind"]
        'layer.Minimum'
    """

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        return _extreme(scope, inputs, ops.minimum)


@spec
class Concatenate(AbstractLayer):
    """Inputs joined along an axis, by default the last; their other sizes must be equal

    Example:
        >>> from dnnbridge import Input, Model
        >>> a, b = Input((3,)), Input((2,))
        >>> Model([a, b], Concatenate()(a, b)).output_shape
        (None, 5)
    """

    axis: Int = -1

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        return ops.concat(inputs, self.axis)

    def mask_of(self, scope: Scope, *inputs: Value) -> Value | None:
        """Return the masks along a time axis; else a step is real if it is real in one input."""
        masks = [scope.mask(each) for each in inputs]
        if all(mask is None for mask in masks):
            return None
        steps = next(mask for mask in masks if mask is not None).rank
        parts = [
            _ones(each, steps) if mask is None else mask
            for each, mask in zip(inputs, masks, strict=True)
        ]
        axis = self.axis % inputs[0].rank
        return ops.concat(parts, axis) if axis < steps else reduce(ops.maximum, parts)


def aligned(scope: Scope, inputs: Sequence[Value]) -> list[Value]:
    """Return the inputs with equal ranks, new axes after the batch; raise if sizes do not fit."""
    rank = max((value.rank for value in inputs), default=0)
    made = [_with_rank(value, rank) for value in inputs]
    sizes = zip(*(value.shape for value in made), strict=True)
    scope.require(
        len(inputs) >= 2 and all(len({*dims} - {1}) <= 1 for dims in sizes),
        "two or more inputs are needed, whose sizes are equal, or 1",
        got=" and ".join(f"({shape_text(value.shape)})" for value in inputs),
        hint="Change the sizes with Dense or Reshape.",
    )
    return made


def _masks(scope: Scope, inputs: Sequence[Value]) -> list[Value | None]:
    """Return the mask of each input with as many axes as the aligned inputs, if it has one."""
    found = [scope.mask(each) for each in inputs]
    rank = max((value.rank for value in inputs), default=0)
    return [m if m is None else ops.reshape(m, (*m.shape, *(1,) * (rank - m.rank))) for m in found]


def _extreme(
    scope: Scope, inputs: Sequence[Value], choose: Callable[[Value, Value], Value]
) -> Value:
    """Return the largest or smallest of the inputs whose step is real, or of all if none is."""
    result, *others = aligned(scope, inputs)
    mask, *masks = _masks(scope, inputs)
    for x, real in zip(others, masks, strict=True):
        x = x if real is None else ops.where(real > 0.5, x, result)
        result = choose(result if mask is None else ops.where(mask > 0.5, result, x), x)
        mask = None if mask is None or real is None else ops.maximum(mask, real)
    return result


def _ones(x: Value, rank: int) -> Value:
    """Return a mask of real steps for x, also if x holds NaN."""
    first = ops.slice(x, (0,) * x.rank, (*x.shape[:rank], *(1,) * (x.rank - rank)))
    kept = ops.reshape(first, x.shape[:rank])
    return 1.0 - ops.cast(kept > kept, "float32")


def _with_rank(x: Value, rank: int) -> Value:
    new = (1,) * (rank - x.rank)
    return ops.reshape(x, (x.shape[0], *new, *x.shape[1:])) if new else x

"""A layer whose equation says how the axes of its input and kernel go together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, cast

from pydantic import PlainValidator

from dnnbridge.activations import ActivationField
from dnnbridge.base.messages import shorten
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import Dim, Value
from dnnbridge.graph.types import shape_text
from dnnbridge.initializers import InitializerField
from dnnbridge.initializers.scaling import with_fans
from dnnbridge.layers.letters import Letters, multiplied, operands
from dnnbridge.layers.weights import WithActivity, WithBias, WithKernel, penalised, weights
from dnnbridge.specs.fields import default, plain
from dnnbridge.specs.json_types import NULL, listed, read_as
from dnnbridge.specs.spec import spec


def _sizes(value: Any) -> tuple[int | None, ...]:
    given = tuple(map(plain, value)) if isinstance(value, (tuple, list)) else (plain(value),)
    if not all(size is None or (type(size) is int and size > 0) for size in given):
        raise SpecError(
            "expected a positive integer, or a list of them",
            got=shorten(value),
            hint="None stands for the size of the input.",
        )
    return given


_SIZE = {"type": "integer", "minimum": 1}
OutputSizes = Annotated[
    int | tuple[int | None, ...],
    PlainValidator(_sizes),
    read_as(_SIZE, listed(_SIZE, NULL)),
]
"""Sizes of the result without the batch, kept as a tuple; None is the size of the input."""


@spec
class EinsumDense(WithKernel, WithBias, WithActivity):
    """activation(einsum(equation, x, kernel) + bias), as in Keras

    `EinsumDense("abc,cd->abd", (None, 64), bias_axes="d")` is `Dense(64)` for sequences. A letter
    of the kernel that is not in the result is summed over; so is a letter that only the input
    has. The first letter is the batch.

    Args:
        equation: the letters of the axes of input, kernel and result, such as "abc,cde->abde".
            "..." in front or at the end of input and result stands for any further axes:
            "...x,xy->...y".
        output_shape: sizes of the result without the batch and the axes of "...". None is the
            size of the input.
        activation: an activation or its name.
        bias_axes: letters of the result that the bias has; None for no bias.
        kernel_initializer: initializer of the kernel. Its fan-in is the product of the sizes that
            are summed over, its fan-out that of the others.
        bias_initializer: initializer of the bias.
        kernel_regularizer: penalty on the kernel; likewise bias_regularizer.
        activity_regularizer: penalty on the result, the mean over the examples.
        kernel_constraint: constraint on the kernel after each update; likewise bias_constraint.

    Raises:
        SpecError: the equation has another form.
        ShapeError: the equation and output_shape do not fit the input.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> heads = EinsumDense("abc,cde->abde", (None, 2, 4), bias_axes="de")
        >>> Sequential([Input((7, 8)), heads]).output_shape
        (None, 7, 2, 4)
    """

    equation: str
    output_shape: OutputSizes
    activation: ActivationField = default("linear")
    bias_axes: str | None = None
    kernel_initializer: InitializerField = default("glorot_uniform")
    bias_initializer: InitializerField = default("zeros")

    def __post_init__(self) -> None:
        _, _, y = operands(self.equation)
        if self.bias_axes is not None and not (self.bias_axes and set(self.bias_axes) <= set(y)):
            raise SpecError(
                "bias_axes must be letters of the result",
                got=f"{self.bias_axes!r} for {self.equation!r}",
                hint="Write None for no bias.",
            )

    def emit(self, scope: Scope, x: Value) -> Value:
        letters = Letters.of(self.equation, x.rank)
        sizes = self._sizes(scope, letters, x)
        y = multiplied(x, self._kernel(scope, letters, sizes), letters)
        if self.bias_axes is not None:
            y = y + weights(scope, self, "bias", self._bias_shape(scope, letters.y, sizes))
        return penalised(scope, scope.call(self.activation, y), self.activity_regularizer)

    def _sizes(self, scope: Scope, letters: Letters, x: Value) -> Mapping[str, Dim]:
        """Return the size of each letter."""
        given = cast(tuple[int | None, ...], self.output_shape)
        got = f"{self.equation!r} with output_shape {given} for shape ({shape_text(x.shape)})"
        scope.require(
            len(letters.x) == x.rank and letters.has_batch,
            "the equation must have a letter for each axis of the input, and begin with the batch",
            got=got,
            hint="The batch is the first letter of input and result, and none of the kernel.",
        )
        scope.require(
            len(given) == len(letters.given),
            "output_shape needs a size for each letter of the result, without batch and ...",
            got=got,
        )
        known = dict(zip(letters.x, x.shape, strict=True))
        made = {a: size for a, size in zip(letters.given, given, strict=True) if size is not None}
        scope.require(
            all(known.get(a, size) == size for a, size in made.items())
            and set(letters.y) <= {*known, *made},
            "output_shape must have the sizes of the input, and one for each letter of the kernel",
            got=got,
            hint="Write None for a size of the input.",
        )
        return known | made

    def _kernel(self, scope: Scope, letters: Letters, sizes: Mapping[str, Dim]) -> Value:
        made = {a: scope.known(sizes[a], "the kernel") for a in letters.kernel}
        fan_in = math.prod(size for a, size in made.items() if a not in letters.y)
        fan_out = math.prod(size for a, size in made.items() if a in letters.y)
        shape = tuple(made.values())
        start = with_fans(self.kernel_initializer, shape, fan_in, fan_out)
        return weights(scope, self, "kernel", shape, start=start)

    def _bias_shape(self, scope: Scope, y: str, sizes: Mapping[str, Dim]) -> list[int]:
        """Return a size for each axis from the first one of the bias on; 1 for the others."""
        has = self.bias_axes or ""
        rest = y[min(map(y.index, has)) :]
        return [scope.known(sizes[a], "the bias") if a in has else 1 for a in rest]

"""PReLU: a piecewise linear activation whose slopes are trained."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Self

from dnnbridge import ops
from dnnbridge.activations.base import AbstractActivation
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import Dim, Value
from dnnbridge.graph.types import shape_text
from dnnbridge.initializers import Constant, InitializerField, InitializerLike
from dnnbridge.specs.fields import Bool, PositiveInt, default
from dnnbridge.specs.spec import spec
from dnnbridge.weights.constraints import ConstraintLike, as_constraint
from dnnbridge.weights.regularizers import RegularizerLike, as_regularizer


@spec
class PReLU(AbstractActivation):
    """x where x > 0, slope · x elsewhere, with slopes that are trained

    The derivative at 0 is the slope; Keras' own is 0 there. He et al., "Delving deep into
    rectifiers", 2015.

    Args:
        alpha_initializer: start of the slopes. Keras starts at 0, MindSpore at 0.25.
        shared: True: one slope for all features. False: one slope per element of an example, as
            in Keras.
        shared_axes: axes along which all elements have the same slope. Axis 1 is the first after
            the batch, as in Keras: `(1, 2)` gives an image one slope per channel.
        alpha_regularizer: penalty on the slopes.
        alpha_constraint: constraint on the slopes after each update.

    Raises:
        SpecError: both `shared` and `shared_axes` are given.

    Example:
        >>> PReLU.mindspore()
        PReLU(alpha_initializer=Constant(value=0.25), shared=True)
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((8, 8, 3)), PReLU(shared_axes=(1, 2))]).summary().parameters
        3
    """

    alias = "prelu"
    alpha_initializer: InitializerField = default("zeros")
    shared: Bool = False
    _: KW_ONLY
    shared_axes: PositiveInt | tuple[PositiveInt, ...] | None = None
    alpha_regularizer: RegularizerLike = None
    alpha_constraint: ConstraintLike = None

    def __post_init__(self) -> None:
        if self.shared and self.shared_axes is not None:
            raise SpecError(
                "shared=True already shares one slope along all axes",
                where=".shared_axes",
                got=repr(self.shared_axes),
                hint="Give shared or shared_axes.",
            )

    def emit(self, scope: Scope, x: Value) -> Value:
        slope = scope.parameter(
            "slope",
            (1,) if self.shared else self._sizes(scope, x),
            self.alpha_initializer,
            as_regularizer(self.alpha_regularizer),
            as_constraint(self.alpha_constraint),
        )
        return ops.where(x > 0.0, x, slope * x)

    def _sizes(self, scope: Scope, x: Value) -> tuple[Dim, ...]:
        """Return the shape of the slopes: 1 along the shared axes."""
        axes = self.shared_axes or ()
        axes = axes if isinstance(axes, tuple) else (axes,)
        scope.require(
            all(axis < x.rank for axis in axes),
            f"shared_axes must be between 1 and {x.rank - 1}",
            got=f"{self.shared_axes} for shape ({shape_text(x.shape)})",
        )
        return tuple(1 if i in axes else x.shape[i] for i in range(1, x.rank))

    @classmethod
    def keras(
        cls,
        alpha_initializer: InitializerLike = "zeros",
        alpha_regularizer: RegularizerLike = None,
        alpha_constraint: ConstraintLike = None,
        shared_axes: int | tuple[int, ...] | None = None,
    ) -> Self:
        """Return `keras.layers.PReLU` with these arguments."""
        return cls(
            alpha_initializer,
            shared_axes=shared_axes,
            alpha_regularizer=alpha_regularizer,
            alpha_constraint=alpha_constraint,
        )

    @classmethod
    def mindspore(cls, w: float = 0.25) -> Self:
        """Return `mindspore.nn.PReLU` with one parameter."""
        return cls(Constant(w), shared=True)

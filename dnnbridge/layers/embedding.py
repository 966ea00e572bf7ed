"""Vectors for integers, such as words, and for positions in a sequence."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.initializers import InitializerField, InitializerLike, RandomNormal
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.layers.masking import real, require_int32
from dnnbridge.layers.weights import WithEmbeddings, weights
from dnnbridge.specs.fields import Bool, NonNegativeInt, PositiveFloat, PositiveInt, default
from dnnbridge.specs.spec import spec


@spec
class Embedding(WithEmbeddings):
    """The row of a trained table for each integer: (batch, …) to (batch, …, output_dim)

    The input is int32, from 0 to input_dim - 1. If it is an input of the model, a number out of
    range raises an error before anything runs. Otherwise it gives a row of NaN on every backend;
    frameworks raise, clamp or give zeros.

    Args:
        input_dim: number of rows of `embeddings`.
        output_dim: size of a row.
        embeddings_initializer: initializer of the table; U(-0.05, 0.05) in Keras, N(0, 0.01) in
            MindSpore.
        padding_idx: this number gives zeros, and its row never gets a gradient. In MindSpore
            the row is zero only at the start, and is then trained.
        mask_zero: whether 0 is padding. The result then has a mask, which the layers after it use
            and pass on as in Keras: see `Scope.mask`. The row of 0 is trained like any other.
        embeddings_regularizer: penalty on the whole table, also on rows that were not looked up.
        embeddings_constraint: constraint on the table after each update.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((7,), "int32"), Embedding(1000, 16, padding_idx=0)]).output_shape
        (None, 7, 16)
    """

    input_dim: PositiveInt
    output_dim: PositiveInt
    embeddings_initializer: InitializerField = default("uniform")
    padding_idx: NonNegativeInt | None = None
    mask_zero: Bool = False

    def __post_init__(self) -> None:
        if self.padding_idx is not None and self.padding_idx >= self.input_dim:
            raise SpecError(
                "padding_idx must be less than input_dim",
                where=".padding_idx",
                got=f"{self.padding_idx} of {self.input_dim} rows",
            )

    def emit(self, scope: Scope, x: Value) -> Value:
        require_int32(scope, x)
        table = weights(scope, self, "embeddings", (self.input_dim, self.output_dim))
        rows = ops.take(table, x)
        if self.padding_idx is None:
            return rows
        padding = ops.reshape(ops.equal(x, self.padding_idx), (*x.shape, 1))
        return ops.where(padding, 0.0, rows)

    def mask_of(self, scope: Scope, *inputs: Value) -> Value | None:
        return real(inputs[0], 0) if self.mask_zero else None

    @classmethod
    def mindspore(
        cls,
        vocab_size: int,
        embedding_size: int,
        embedding_table: InitializerLike = RandomNormal(0.0, 0.01),  # noqa: B008
        padding_idx: int | None = None,
    ) -> Self:
        """Return `mindspore.nn.Embedding` with these arguments; here padding is always zeros."""
        return cls(vocab_size, embedding_size, embedding_table, padding_idx)


@spec
class PositionEmbedding(WithEmbeddings):
    """x plus a trained row for each position: (batch, time, features)

    Args:
        input_dim: number of rows of `embeddings`, the length of the longest sequence.
        embeddings_initializer: initializer of the table.

    Example:
        >>> PositionEmbedding(512).input_dim
        512
    """

    input_dim: PositiveInt
    embeddings_initializer: InitializerField = default("glorot_uniform")

    passes_mask: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        time, features = _sequence(scope, x)
        scope.require(
            time <= self.input_dim,
            "the sequence is longer than input_dim",
            got=f"{time} positions, {self.input_dim} rows",
            hint="Increase input_dim.",
        )
        table = weights(scope, self, "embeddings", (self.input_dim, features))
        return x + ops.slice(table, (0, 0), (time, features))


@spec
class SinusoidalPositions(AbstractLayer):
    """x + sin(t / λ^(2i/features)) in feature 2i, and + cos of it in feature 2i + 1, at position t

    The waves are computed in float64 and rounded once. (Vaswani et al., 2017)

    Args:
        max_wavelength: λ.

    Example:
        >>> SinusoidalPositions().max_wavelength
        10000.0
    """

    max_wavelength: PositiveFloat = 1e4

    passes_mask: ClassVar[bool] = True

    def emit(self, scope: Scope, x: Value) -> Value:
        time, features = _sequence(scope, x)
        return x + scope.constant_of((time, features), lambda: self._waves(time, features))

    def _waves(self, time: int, features: int) -> Array:
        pair = np.arange(features) // 2 * 2
        angle = np.arange(time)[:, None] / self.max_wavelength ** (pair / features)
        return np.where(np.arange(features) % 2, np.cos(angle), np.sin(angle))


def _sequence(scope: Scope, x: Value) -> tuple[int, int]:
    scope.require(
        x.rank == 3,
        "the input must be a sequence (batch, time, features)",
        got=f"shape ({shape_text(x.shape)})",
    )
    return scope.known(x.shape[1], "time"), scope.known(x.shape[2], "features")

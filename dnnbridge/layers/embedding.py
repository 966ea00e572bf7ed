"""Vectors for integers, such as words, and for positions in a sequence."""

from __future__ import annotations

from typing import Self

import numpy as np

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import DTypeError, SpecError
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.initializers import InitializerField, InitializerLike, RandomNormal
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.layers.weights import WithEmbeddings, weights
from dnnbridge.specs.fields import Int, NonNegativeInt, PositiveFloat, PositiveInt, default
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
            the row is zero only at the start, and is then trained. In place of `mask_zero` of
            Keras, use a `PaddingMask` for the layers that take a mask.
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

    def __post_init__(self) -> None:
        if self.padding_idx is not None and self.padding_idx >= self.input_dim:
            raise SpecError(
                "padding_idx must be less than input_dim",
                where=".padding_idx",
                got=f"{self.padding_idx} of {self.input_dim} rows",
            )

    def emit(self, scope: Scope, x: Value) -> Value:
        _require_int32(scope, x)
        table = weights(scope, self, "embeddings", (self.input_dim, self.output_dim))
        rows = ops.take(table, x)
        if self.padding_idx is None:
            return rows
        padding = ops.reshape(ops.equal(x, self.padding_idx), (*x.shape, 1))
        return ops.where(padding, 0.0, rows)

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
class PaddingMask(AbstractLayer):
    """1 where an integer is real, 0 where it is padding: (batch, time), float32

    Recurrent layers, attention and pooling take this mask as an input.

    Args:
        padding_idx: the number that fills short sequences.

    Example:
        >>> from dnnbridge import Input, Model
        >>> words = Input((7,), "int32")
        >>> Model(words, PaddingMask()(words)).output_shape
        (None, 7)
    """

    padding_idx: Int = 0

    def emit(self, scope: Scope, x: Value) -> Value:
        _require_int32(scope, x)
        return 1.0 - ops.cast(ops.equal(x, self.padding_idx), "float32")


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

    def emit(self, scope: Scope, x: Value) -> Value:
        time, features = _sequence(scope, x)
        pair = np.arange(features) // 2 * 2
        angle = np.arange(time)[:, None] / self.max_wavelength ** (pair / features)
        waves = np.where(np.arange(features) % 2, np.cos(angle), np.sin(angle))
        return x + scope.constant(waves)


def _sequence(scope: Scope, x: Value) -> tuple[int, int]:
    scope.require(
        x.rank == 3,
        "the input must be a sequence (batch, time, features)",
        got=f"shape ({shape_text(x.shape)})",
    )
    return scope.known(x.shape[1], "time"), scope.known(x.shape[2], "features")


def _require_int32(scope: Scope, x: Value) -> None:
    if x.dtype != "int32":
        raise DTypeError(
            "the input must be int32",
            where=scope.path,
            got=str(x.type),
            hint='Write Input(shape, dtype="int32").',
        )

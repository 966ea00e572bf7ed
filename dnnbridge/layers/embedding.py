"""Vectors for whole numbers, such as words, and for places in a sequence."""

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
    """The row of a trained table for each whole number: (batch, …) to (batch, …, output_dim)

    The input is int32, from 0 to input_dim - 1. Where it is an input of the model, a number
    outside is refused before anything runs; elsewhere it gives a row of NaN on every backend, so
    that it is seen: frameworks raise, clamp or give zeros.

    Args:
        input_dim: number of rows of `embeddings`.
        output_dim: size of a row.
        embeddings_initializer: start of the table: U(-0.05, 0.05) in Keras, N(0, 0.01) in
            MindSpore.
        padding_idx: this number gives zeros, and its row never gets a gradient. MindSpore's
            `padding_idx` makes the row zero at the start only, then trains it; `mask_zero` of
            Keras changes no number here: make a `PaddingMask` for the layers that take one.
        embeddings_regularizer: penalty of the table, rows that were not looked up too.
        embeddings_constraint: what updates keep the table in.

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
                "padding_idx is a row of the table",
                where="Embedding.padding_idx",
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
        """Return `mindspore.nn.Embedding` with these arguments; padding is masked for real."""
        return cls(vocab_size, embedding_size, embedding_table, padding_idx)


@spec
class PaddingMask(AbstractLayer):
    """1 where a whole number is real, 0 where it is the padding: (batch, time), float32

    The mask that recurrent layers, attention and pooling take as an input.

    Args:
        padding_idx: the number that fills up short sequences.

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
    """x + a trained row for each place: (batch, time, features)

    Args:
        input_dim: number of rows of `embeddings`: the longest sequence.
        embeddings_initializer: start of the table.

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
            "the sequence is longer than the table of places",
            got=f"{time} places, {self.input_dim} rows",
            hint="Raise input_dim.",
        )
        table = weights(scope, self, "embeddings", (self.input_dim, features))
        return x + ops.slice(table, (0, 0), (time, features))


@spec
class SinusoidalPositions(AbstractLayer):
    """x + sin(t / λ^(2i/features)) in feature 2i, cos of the same in feature 2i + 1, at place t

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
        "a sequence (batch, time, features) is needed",
        got=f"shape ({shape_text(x.shape)})",
    )
    return scope.known(x.shape[1], "time"), scope.known(x.shape[2], "features")


def _require_int32(scope: Scope, x: Value) -> None:
    if x.dtype != "int32":
        raise DTypeError(
            "whole numbers are needed",
            where=scope.path,
            got=str(x.type),
            hint='Declare them: Input(shape, dtype="int32").',
        )

"""Attention: means of values, weighted by scores of queries and keys."""

from __future__ import annotations

import math
from typing import ClassVar, Literal, Self

import numpy as np

from dnnbridge import ops
from dnnbridge.base.arrays import Array
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.initializers import (
    AbstractInitializer,
    InitializerField,
    RandomUniform,
    as_initializer,
)
from dnnbridge.initializers.base import OptionalInitializerField
from dnnbridge.initializers.scaling import with_fans
from dnnbridge.layers.attention_inputs import allowed_keys, for_scores, named, of_real_queries
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.layers.dropout import dropped
from dnnbridge.layers.weights import WithBias, WithKernel, weights
from dnnbridge.specs.fields import Bool, Fraction, PositiveInt, default
from dnnbridge.specs.spec import spec

BLOCKED = -1e9
"""Score of a masked key, which gives weight 0. If all keys are masked, the weights are uniform."""


@spec
class Attention(AbstractLayer):
    """softmax(scale · query @ keyᵀ) @ value, as in Keras' `Attention`

    The inputs are the query (batch, T, d), the value (batch, S, v), optionally the key
    (batch, S, d), and the padding mask if `masked`. Without a key, the value is used. As in Keras,
    scores are not divided by √d. Masks of the inputs (see `Masking`) leave out keys, and set the
    results of queries to 0.

    Args:
        use_scale: whether to multiply the scores by a trained number, `scale`, which starts at 1.
        score_mode: "dot", or "concat" for the scores w · Σ tanh(scale · (query + key)) with a
            trained number w, `concat_score_weight`, which starts at 1. The sum is over d, and all
            batch · T · S · d terms are in memory.
        dropout: fraction of the weights dropped in training.
        causal: whether position t attends only to positions up to t.
        masked: whether the last input is a mask, 1 where a key may be used: (batch, S), or
            (batch, T, S) for each query. A query without any such key gives the mean of all values.

    Example:
        >>> from dnnbridge import Input, Model
        >>> query, value = Input((5, 8)), Input((7, 8))
        >>> Model([query, value], Attention()(query, value)).output_shape
        (None, 5, 8)
    """

    use_scale: Bool = False
    score_mode: Literal["dot", "concat"] = "dot"
    dropout: Fraction = 0.0
    causal: Bool = False
    masked: Bool = False

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        query, value, key, mask = named(scope, inputs, self.masked)
        allowed = allowed_keys(scope, value, mask)
        one = as_initializer("ones")
        scale = scope.parameter("scale", (), one) if self.use_scale else None
        if self.score_mode == "concat":
            both = _sums(scope, query, key)
            tanh = ops.tanh(both if scale is None else scale * both)
            weight = scope.parameter("concat_score_weight", (), one)
            scores = weight * ops.reduce_sum(tanh, -1)
        else:
            scores = ops.batch_matmul(query, ops.transpose(key, (0, 2, 1)))
            scores = scores if scale is None else scale * scores
        shares = attention_weights(scope, scores, allowed, self.causal, self.dropout)
        return of_real_queries(scope, query, ops.batch_matmul(shares, value))

    def mask_of(self, scope: Scope, *inputs: Value) -> Value | None:
        return scope.mask(inputs[0])


@spec
class AdditiveAttention(AbstractLayer):
    """softmax(Σ scale · tanh(query + key)) @ value (Bahdanau et al., 2015), as in Keras

    The inputs are those of `Attention`. The sum is over d, and all batch · T · S · d terms are in
    memory.

    Args:
        use_scale: whether to multiply by trained weights, `scale` of shape (d,).
        dropout: fraction of the weights dropped in training.
        causal: whether position t attends only to positions up to t.
        masked: whether the last input is a mask, 1 where a key may be used: (batch, S), or
            (batch, T, S) for each query. A query without any such key gives the mean of all values.

    Example:
        >>> from dnnbridge import Input, Model
        >>> query, value = Input((5, 8)), Input((7, 8))
        >>> Model([query, value], AdditiveAttention()(query, value)).output_shape
        (None, 5, 8)
    """

    use_scale: Bool = True
    dropout: Fraction = 0.0
    causal: Bool = False
    masked: Bool = False

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        query, value, key, mask = named(scope, inputs, self.masked)
        allowed = allowed_keys(scope, value, mask)
        terms = ops.tanh(_sums(scope, query, key))
        if self.use_scale:
            start = as_initializer("glorot_uniform")
            terms = scope.parameter("scale", query.shape[-1:], start) * terms
        scores = ops.reduce_sum(terms, -1)
        shares = attention_weights(scope, scores, allowed, self.causal, self.dropout)
        return of_real_queries(scope, query, ops.batch_matmul(shares, value))

    def mask_of(self, scope: Scope, *inputs: Value) -> Value | None:
        return scope.mask(inputs[0])


@spec
class MultiHeadAttention(WithKernel, WithBias):
    """Heads softmax(query @ keyᵀ / √key_dim) @ value, concatenated and mapped to query's features

    The inputs are the query (batch, T, E), then value (batch, S, V) and key (batch, S, K), then the
    padding mask if `masked`. `layer(x)` is self-attention. `layer(x, memory)` attends to the
    memory, and `layer(x, memory, mask)` to its real positions. Masks of the inputs (see `Masking`)
    leave out keys and queries. The kernels have the shapes of
    Keras: query_kernel (E, heads, key_dim), key_kernel (K, heads, key_dim), value_kernel
    (V, heads, value_dim), output_kernel (heads, value_dim, E). MindSpore's `nn.MultiheadAttention`
    stacks the transposes of the first three, and its masks mark blocked keys. (Vaswani et al.,
    2017)

    Args:
        num_heads: number of heads.
        key_dim: size of a query and of a key in a head.
        value_dim: size of a value in a head; by default key_dim.
        dropout: fraction of the weights dropped in training.
        use_bias: whether each of the four maps has a bias.
        causal: whether position t attends only to positions up to t.
        masked: whether the last input is a mask, 1 where a key may be used: (batch, S), or
            (batch, T, S) for each query. A query without any such key gives the mean of all values;
            with dropout its weights are 0. Both are so in Keras.
        kernel_initializer: initializer of the kernels. The fans are those of the matrices, from
            all sizes that a kernel reads to all that it makes, as in Keras.
        bias_initializer: initializer of the biases.
        output_kernel_initializer: initializer of output_kernel; by default kernel_initializer.
        output_bias_initializer: initializer of output_bias; by default bias_initializer.
        kernel_regularizer: penalty on each of the four kernels; likewise bias_regularizer.
        kernel_constraint: constraint on each of them after each update; likewise bias_constraint.

    Example:
        >>> from dnnbridge import Input, Model
        >>> x, mask = Input((5, 8)), Input((5,))
        >>> Model([x, mask], MultiHeadAttention(2, 4, masked=True)(x, mask)).output_shape
        (None, 5, 8)
    """

    num_heads: PositiveInt
    key_dim: PositiveInt
    value_dim: PositiveInt | None = None
    dropout: Fraction = 0.0
    use_bias: Bool = True
    causal: Bool = False
    masked: Bool = False
    kernel_initializer: InitializerField = default("glorot_uniform")
    bias_initializer: InitializerField = default("zeros")
    output_kernel_initializer: OptionalInitializerField = default(None)
    output_bias_initializer: OptionalInitializerField = default(None)

    passes_mask: ClassVar[bool] = True

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        query, value, key, mask = named(scope, inputs, self.masked)
        size = self.value_dim or self.key_dim
        q = self._heads(scope, "query", query, self.key_dim, (0, 2, 1, 3))
        k = self._heads(scope, "key", key, self.key_dim, (0, 2, 3, 1))
        v = self._heads(scope, "value", value, size, (0, 2, 1, 3))
        scores = ops.batch_matmul(q * (1.0 / math.sqrt(self.key_dim)), k)
        allowed = allowed_keys(scope, value, mask, query, key)
        zero = self.dropout > 0.0
        shares = attention_weights(scope, scores, allowed, self.causal, self.dropout, zero)
        found = ops.transpose(ops.batch_matmul(shares, v), (0, 2, 1, 3))
        rows = ops.reshape(found, (*query.shape[:2], self.num_heads * size))
        return self._mapped(scope, "output", rows, (self.num_heads, size), query.shape[-1:])

    def _heads(self, scope: Scope, name: str, x: Value, size: int, order: tuple[int, ...]) -> Value:
        """Map (batch, time, features) to heads and permute the axes to `order`."""
        heads = (self.num_heads, size)
        mapped = self._mapped(scope, name, x, x.shape[-1:], heads)
        return ops.transpose(ops.reshape(mapped, (*x.shape[:2], *heads)), order)

    def _mapped(
        self,
        scope: Scope,
        name: str,
        x: Value,
        given: tuple[int | None, ...],
        made: tuple[int | None, ...],
    ) -> Value:
        """Map the last axis with a kernel of shape (*given, *made), and add a bias."""
        sizes = [scope.known(dim, "the features") for dim in made]
        kernel_initializer, bias_initializer = self._starts(name)
        shape = (*(scope.known(dim, "the kernel") for dim in given), *sizes)
        fan_out = math.prod(sizes)
        start = with_fans(kernel_initializer, shape, math.prod(shape) / fan_out, fan_out)
        kernel = weights(scope, self, f"{name}_kernel", shape, "kernel", start)
        y = x @ ops.reshape(kernel, (x.shape[-1], math.prod(sizes)))
        if not self.use_bias:
            return y
        bias = weights(scope, self, f"{name}_bias", sizes, "bias", bias_initializer)
        return y + ops.reshape(bias, (math.prod(sizes),))

    def _starts(self, name: str) -> tuple[AbstractInitializer, AbstractInitializer]:
        """Return the initializers of a kernel and of its bias."""
        kernel, bias = self.kernel_initializer, self.bias_initializer
        if name == "output":
            kernel = self.output_kernel_initializer or kernel
            bias = self.output_bias_initializer or bias
        return kernel, bias

    @classmethod
    def mindspore(
        cls, embed_dim: int, num_heads: int, dropout: float = 0.0, has_bias: bool = True
    ) -> Self:
        """Return `mindspore.nn.MultiheadAttention` with these arguments, batch first.

        MindSpore initializes the maps to queries, keys and values as one matrix,
        U(±√(1.5 / embed_dim)), and the output kernel and bias with U(±1/√embed_dim).
        """
        if embed_dim % num_heads:
            raise SpecError(
                "num_heads must divide embed_dim",
                where="MultiHeadAttention.mindspore",
                got=f"{embed_dim} and {num_heads}",
            )
        stacked, output = math.sqrt(1.5 / embed_dim), 1.0 / math.sqrt(embed_dim)
        return cls(
            num_heads,
            embed_dim // num_heads,
            dropout=dropout,
            use_bias=has_bias,
            kernel_initializer=RandomUniform(-stacked, stacked),
            output_kernel_initializer=RandomUniform(-output, output),
            output_bias_initializer=RandomUniform(-output, output),
        )


def _sums(scope: Scope, query: Value, key: Value) -> Value:
    """Return the sums of each query and each key, (batch, T, S, d)."""
    scope.require(
        query.shape[-1] == key.shape[-1],
        "queries and keys must have the same number of features",
        got=f"({shape_text(query.shape)}) and ({shape_text(key.shape)})",
    )
    rows = ops.reshape(query, (*query.shape[:2], 1, query.shape[2]))
    return rows + ops.reshape(key, (key.shape[0], 1, *key.shape[1:]))


def _ahead(rows: int, keys: int) -> Array:
    """Return how many steps each row is after each key."""
    return np.asarray(np.arange(rows)[:, None] - np.arange(keys))


def attention_weights(
    scope: Scope,
    scores: Value,
    allowed: Value | None,
    causal: bool,
    dropout: float,
    zero: bool = False,
    window: int | None = None,
) -> Value:
    """Return the weights of the keys from scores (batch, …, T, S).

    Without any allowed key they are equal, or 0 if `zero`. Keys that are not closer than `window`
    are blocked.
    """
    masks = [] if allowed is None else [for_scores(allowed, scores) > 0.5]
    if causal or window is not None:
        sizes = tuple(scope.known(dim, "time") for dim in scores.shape[-2:])
        if causal:
            masks.append(scope.constant_of(sizes, lambda: _ahead(*sizes) >= 0))
        if window is not None:
            masks.append(scope.constant_of(sizes, lambda: np.abs(_ahead(*sizes)) < window))
    for mask in masks:
        scores = ops.where(mask, scores, BLOCKED)
    shares = ops.softmax(scores)
    for mask in masks if zero and allowed is not None else ():
        shares = ops.where(mask, shares, 0.0)
    return dropped(scope, shares, dropout, shares.shape)

"""Attention whose heads of queries share heads of keys and values."""

from __future__ import annotations

import math
from typing import ClassVar

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.errors import SpecError
from dnnbridge.graph import Value
from dnnbridge.initializers import InitializerField
from dnnbridge.layers.attention import attention_weights
from dnnbridge.layers.attention_inputs import allowed_keys, named
from dnnbridge.layers.einsum import EinsumDense
from dnnbridge.layers.weights import WithActivity, WithBias, WithKernel
from dnnbridge.specs.fields import Bool, Fraction, PositiveInt, default
from dnnbridge.specs.spec import spec


@spec
class GroupQueryAttention(WithKernel, WithBias, WithActivity):
    """Attention in which adjacent heads of queries share one head of keys and values, as in Keras

    A head is softmax(query @ keyᵀ / √head_dim) @ value. All heads are concatenated and mapped to
    the features of the query. With one head of keys this is multi-query attention, with as many as
    queries it is `MultiHeadAttention`. The inputs are those of `MultiHeadAttention`. The kernels
    are query/kernel (E, num_query_heads, head_dim), key/kernel (K, num_key_value_heads, head_dim),
    value/kernel (V, num_key_value_heads, head_dim), attention_output/kernel
    (num_query_heads, head_dim, E), and with `use_gate` gate/kernel, of the shape of query/kernel.
    (Ainslie et al., 2023)

    Args:
        head_dim: size of a query, key and value in a head.
        num_query_heads: number of heads.
        num_key_value_heads: number of heads of keys and values; it must divide num_query_heads.
        dropout: fraction of the weights dropped in training.
        use_bias: whether each map has a bias.
        sliding_window: position t attends only to positions closer than this number, on both
            sides; with `causal`, only before it. None: to all.
        kernel_initializer: initializer of the kernels, with the fans of `EinsumDense`.
        bias_initializer: initializer of the biases.
        use_gate: whether the result of each head is multiplied by sigmoid(gate(query)). (Qiu et
            al., 2025)
        causal: whether position t attends only to positions up to t.
        masked: whether the last input is a mask, 1 where a key may be used: (batch, S), or
            (batch, T, S) for each query. A query without any such key gives the mean of all values;
            with dropout its weights are 0. Both are so in Keras.
        kernel_regularizer: penalty on each kernel; likewise bias_regularizer.
        activity_regularizer: penalty on the result of each map.
        kernel_constraint: constraint on each kernel after each update; likewise bias_constraint.

    Raises:
        SpecError: num_key_value_heads does not divide num_query_heads.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> Sequential([Input((7, 16)), GroupQueryAttention(4, 8, 2, causal=True)]).output_shape
        (None, 7, 16)
    """

    head_dim: PositiveInt
    num_query_heads: PositiveInt
    num_key_value_heads: PositiveInt
    dropout: Fraction = 0.0
    use_bias: Bool = True
    sliding_window: PositiveInt | None = None
    kernel_initializer: InitializerField = default("glorot_uniform")
    bias_initializer: InitializerField = default("zeros")
    use_gate: Bool = False
    causal: Bool = False
    masked: Bool = False

    passes_mask: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.num_query_heads % self.num_key_value_heads:
            raise SpecError(
                "num_key_value_heads must divide num_query_heads",
                where="GroupQueryAttention",
                got=f"{self.num_key_value_heads} and {self.num_query_heads}",
            )

    def emit(self, scope: Scope, *inputs: Value) -> Value:
        query, value, key, mask = named(scope, inputs, self.masked)
        groups, size = self.num_key_value_heads, self.head_dim
        per_group = self.num_query_heads // groups
        batch, rows, features = query.shape
        q = self._heads(scope, "query", query, self.num_query_heads)
        k = self._heads(scope, "key", key, groups)
        v = self._heads(scope, "value", value, groups)
        # A row per query and head of the group: (batch, groups, per_group, T, size).
        q = ops.transpose(ops.reshape(q, (batch, rows, groups, per_group, size)), (0, 2, 3, 1, 4))
        k = ops.reshape(ops.transpose(k, (0, 2, 3, 1)), (batch, groups, 1, size, key.shape[1]))
        v = ops.reshape(ops.transpose(v, (0, 2, 1, 3)), (batch, groups, 1, value.shape[1], size))
        scores = ops.batch_matmul(q * (1.0 / math.sqrt(size)), _repeated(k, per_group))
        allowed, zero = allowed_keys(scope, value, mask, query, key), self.dropout > 0.0
        shares = attention_weights(
            scope, scores, allowed, self.causal, self.dropout, zero, self.sliding_window
        )
        found = ops.batch_matmul(shares, _repeated(v, per_group))
        found = ops.transpose(found, (0, 3, 1, 2, 4))
        found = ops.reshape(found, (batch, rows, self.num_query_heads, size))
        if self.use_gate:
            found = found * self._heads(scope, "gate", query, self.num_query_heads)
        output = self._map("abcd,cde->abe", (None, scope.known(features, "the features")), "e")
        return scope.call(output, found, name="attention_output")

    def _heads(self, scope: Scope, name: str, x: Value, heads: int) -> Value:
        """Map (batch, time, features) to (batch, time, heads, head_dim)."""
        activation = "sigmoid" if name == "gate" else "linear"
        layer = self._map("abc,cde->abde", (None, heads, self.head_dim), "de", activation)
        return scope.call(layer, x, name=name)

    def _map(
        self, equation: str, shape: tuple[int | None, ...], axes: str, activation: str = "linear"
    ) -> EinsumDense:
        return EinsumDense(
            equation,
            shape,
            activation,
            axes if self.use_bias else None,
            self.kernel_initializer,
            self.bias_initializer,
            kernel_regularizer=self.kernel_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_regularizer=self.bias_regularizer,
            bias_constraint=self.bias_constraint,
            activity_regularizer=self.activity_regularizer,
        )


def _repeated(x: Value, times: int) -> Value:
    """Repeat the heads of each group: (batch, groups, 1, …) to (batch, groups, times, …)."""
    shape = (*x.shape[:2], times, *x.shape[3:])
    return x if times == 1 else ops.broadcast_to(x, shape)

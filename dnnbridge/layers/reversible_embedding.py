"""An embedding that also maps vectors back to a score for each row."""

from __future__ import annotations

from dnnbridge import ops
from dnnbridge.emit.scope import Scope
from dnnbridge.graph import Value
from dnnbridge.graph.types import shape_text
from dnnbridge.initializers import InitializerField, as_initializer
from dnnbridge.layers.weights import WithEmbeddings, weights
from dnnbridge.specs.fields import Bool, PositiveFloat, PositiveInt, default
from dnnbridge.specs.spec import spec


@spec
class ReversibleEmbedding(WithEmbeddings):
    """The row of a table for each integer, and x @ tableᵀ for vectors: one layer, called twice

    On an int32 input it is `Embedding`: (batch, …) to (batch, …, output_dim). On a float32 input
    (batch, …, output_dim) it gives a score for each row, (batch, …, input_dim), which Keras
    computes with `reverse=True`. Language models share the table so. (Press & Wolf, 2016)

    Args:
        input_dim: number of rows of `embeddings`.
        output_dim: size of a row.
        tie_weights: whether the scores are computed with the table; if not, with further weights,
            `reverse_embeddings` (output_dim, input_dim).
        embeddings_initializer: initializer of both.
        logit_soft_cap: a number c that limits the scores s to c · tanh(s / c); None: no limit.
        embeddings_regularizer: penalty on the table.
        embeddings_constraint: constraint on the table after each update.

    Raises:
        ShapeError: the last axis of a float32 input is not output_dim.

    Example:
        >>> from dnnbridge import Dense, Input, Model
        >>> words, table = Input((7,), "int32"), ReversibleEmbedding(1000, 16)
        >>> Model(words, table(Dense(16, "tanh")(table(words)))).output_shape
        (None, 7, 1000)
    """

    input_dim: PositiveInt
    output_dim: PositiveInt
    tie_weights: Bool = True
    embeddings_initializer: InitializerField = default("uniform")
    logit_soft_cap: PositiveFloat | None = None

    def emit(self, scope: Scope, x: Value) -> Value:
        table = weights(scope, self, "embeddings", (self.input_dim, self.output_dim))
        back = ops.transpose(table, (1, 0)) if self.tie_weights else self._separate(scope)
        if x.dtype == "int32":
            return ops.take(table, x)
        scope.require(
            x.shape[-1] == self.output_dim,
            "a float32 input must have output_dim features",
            got=f"output_dim={self.output_dim} for shape ({shape_text(x.shape)})",
            hint="Integers must be int32.",
        )
        scores = x @ back
        if self.logit_soft_cap is None:
            return scores
        return self.logit_soft_cap * ops.tanh(scores / self.logit_soft_cap)

    def _separate(self, scope: Scope) -> Value:
        start = as_initializer(self.embeddings_initializer)
        return scope.parameter("reverse_embeddings", (self.output_dim, self.input_dim), start)

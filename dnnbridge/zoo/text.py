"""Classifiers of sequences of words. Words are int32 numbers; 0 pads short sequences."""

from __future__ import annotations

from dnnbridge.layers import (
    LSTM,
    Add,
    Dense,
    Dropout,
    Embedding,
    GlobalAveragePooling1D,
    LayerNormalization,
    MultiHeadAttention,
    PaddingMask,
    PositionEmbedding,
)
from dnnbridge.layers.base import LayerOutput
from dnnbridge.models import Input, Model


def lstm_classifier(
    vocabulary: int = 1000,
    length: int = 100,
    classes: int = 2,
    embedding: int = 32,
    units: int = 32,
    dropout: float = 0.2,
) -> Model:
    """Return an embedding, an LSTM that skips the padding, and a dense layer.

    Example:
        >>> lstm_classifier().output_shape
        (None, 2)
    """
    words = Input((length,), "int32", name="words")
    mask = PaddingMask()(words)
    x = Embedding(vocabulary, embedding, padding_idx=0)(words)
    x = LSTM(units)(x, mask)
    return Model(words, Dense(classes)(Dropout(dropout)(x)))


def transformer_classifier(
    vocabulary: int = 1000,
    length: int = 100,
    classes: int = 2,
    width: int = 32,
    heads: int = 2,
    feed_forward: int = 64,
    blocks: int = 1,
    dropout: float = 0.1,
) -> Model:
    """Return a small Transformer encoder (Vaswani et al., 2017) with a mean over the words.

    As in the paper, normalisation comes after each sum. The position embeddings are trained.

    Example:
        >>> transformer_classifier().output_shape
        (None, 2)
    """
    words = Input((length,), "int32", name="words")
    mask = PaddingMask()(words)
    x: LayerOutput = PositionEmbedding(length)(Embedding(vocabulary, width, padding_idx=0)(words))
    for _ in range(blocks):
        attended = MultiHeadAttention(heads, width // heads, masked=True)(x, x, mask)
        x = _normal_sum(x, attended, dropout)
        hidden = Dense(feed_forward, "gelu")(x)
        x = _normal_sum(x, Dense(width)(hidden), dropout)
    pooled = GlobalAveragePooling1D()(x, mask)
    return Model(words, Dense(classes)(Dropout(dropout)(pooled)))


def _normal_sum(x: LayerOutput, y: LayerOutput, dropout: float) -> LayerOutput:
    return LayerNormalization(epsilon=1e-6)(Add()(x, Dropout(dropout)(y)))

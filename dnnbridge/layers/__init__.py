"""Layers: each one class with its equation."""

from dnnbridge.layers.activation import Activation
from dnnbridge.layers.attention import Attention, MultiHeadAttention
from dnnbridge.layers.base import AbstractLayer, LayerOutput
from dnnbridge.layers.batch_norm import BatchNorm
from dnnbridge.layers.dense import Dense
from dnnbridge.layers.dot import Dot
from dnnbridge.layers.dropout import Dropout
from dnnbridge.layers.embedding import (
    Embedding,
    PaddingMask,
    PositionEmbedding,
    SinusoidalPositions,
)
from dnnbridge.layers.merging import Add, Average, Concatenate, Maximum, Multiply, Subtract
from dnnbridge.layers.noise import (
    AlphaDropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from dnnbridge.layers.normalization import GroupNorm, InstanceNorm, LayerNorm, RMSNorm
from dnnbridge.layers.reshaping import Flatten, Permute, Reshape

__all__ = [
    "AbstractLayer",
    "Activation",
    "Add",
    "AlphaDropout",
    "Attention",
    "Average",
    "BatchNorm",
    "Concatenate",
    "Dense",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GroupNorm",
    "InstanceNorm",
    "LayerNorm",
    "LayerOutput",
    "Maximum",
    "MultiHeadAttention",
    "Multiply",
    "PaddingMask",
    "Permute",
    "PositionEmbedding",
    "RMSNorm",
    "Reshape",
    "SinusoidalPositions",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "Subtract",
]

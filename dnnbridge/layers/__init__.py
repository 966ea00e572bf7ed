"""Layers: each one class with its equation."""

from dnnbridge.layers.activation import Activation
from dnnbridge.layers.base import AbstractLayer, LayerOutput
from dnnbridge.layers.batch_norm import BatchNorm
from dnnbridge.layers.dense import Dense
from dnnbridge.layers.dropout import Dropout
from dnnbridge.layers.merging import Add, Average, Concatenate, Maximum, Multiply, Subtract
from dnnbridge.layers.normalization import GroupNorm, InstanceNorm, LayerNorm, RMSNorm
from dnnbridge.layers.reshaping import Flatten, Permute, Reshape

__all__ = [
    "AbstractLayer",
    "Activation",
    "Add",
    "Average",
    "BatchNorm",
    "Concatenate",
    "Dense",
    "Dropout",
    "Flatten",
    "GroupNorm",
    "InstanceNorm",
    "LayerNorm",
    "LayerOutput",
    "Maximum",
    "Multiply",
    "Permute",
    "RMSNorm",
    "Reshape",
    "Subtract",
]

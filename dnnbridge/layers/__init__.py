"""Layers: each one class with its equation."""

from dnnbridge.layers.activation import Activation
from dnnbridge.layers.base import AbstractLayer, LayerOutput
from dnnbridge.layers.dense import Dense
from dnnbridge.layers.dropout import Dropout
from dnnbridge.layers.merging import Add, Average, Concatenate, Maximum, Multiply, Subtract
from dnnbridge.layers.reshaping import Flatten, Permute, Reshape

__all__ = [
    "AbstractLayer",
    "Activation",
    "Add",
    "Average",
    "Concatenate",
    "Dense",
    "Dropout",
    "Flatten",
    "LayerOutput",
    "Maximum",
    "Multiply",
    "Permute",
    "Reshape",
    "Subtract",
]

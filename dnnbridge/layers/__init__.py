"""Layers: each one class with its equation."""

from dnnbridge.layers.activation import Activation
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.layers.dense import Dense
from dnnbridge.layers.dropout import Dropout
from dnnbridge.layers.flatten import Flatten

__all__ = ["AbstractLayer", "Activation", "Dense", "Dropout", "Flatten"]

"""Layers: each one class with its equation."""

from dnnbridge.layers.activation import Activation
from dnnbridge.layers.base import AbstractLayer, LayerOutput
from dnnbridge.layers.dense import Dense
from dnnbridge.layers.dropout import Dropout
from dnnbridge.layers.merging import Add, Average, Concatenate, Maximum, Multiply, Subtract
from dnnbridge.layers.recurrence import AbstractRecurrent
from dnnbridge.layers.recurrent import GRU, LSTM, SimpleRNN
from dnnbridge.layers.reshaping import Flatten, Permute, Reshape
from dnnbridge.layers.wrappers import Bidirectional, TimeDistributed

__all__ = [
    "GRU",
    "LSTM",
    "AbstractLayer",
    "AbstractRecurrent",
    "Activation",
    "Add",
    "Average",
    "Bidirectional",
    "Concatenate",
    "Dense",
    "Dropout",
    "Flatten",
    "LayerOutput",
    "Maximum",
    "Multiply",
    "Permute",
    "Reshape",
    "SimpleRNN",
    "Subtract",
    "TimeDistributed",
]

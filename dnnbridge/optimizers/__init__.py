"""Optimizers: each one class with its update equation."""

from dnnbridge.optimizers.adagrad import Adadelta, Adagrad, RMSProp
from dnnbridge.optimizers.adam import Adam
from dnnbridge.optimizers.base import AbstractOptimizer, Scalars, Slot, Slots
from dnnbridge.optimizers.moments import Adamax, Lion, Nadam
from dnnbridge.optimizers.sgd import SGD

__all__ = [
    "SGD",
    "AbstractOptimizer",
    "Adadelta",
    "Adagrad",
    "Adam",
    "Adamax",
    "Lion",
    "Nadam",
    "RMSProp",
    "Scalars",
    "Slot",
    "Slots",
]

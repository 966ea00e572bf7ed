"""Optimizers: each one class with its update equation."""

from dnnbridge.optimizers.adafactor import Adafactor
from dnnbridge.optimizers.adagrad import Adadelta, Adagrad, RMSProp
from dnnbridge.optimizers.adam import Adam
from dnnbridge.optimizers.averaging import (
    ASGD,
    ExponentialMovingAverage,
    StochasticWeightAverage,
)
from dnnbridge.optimizers.base import AbstractOptimizer, Scalars, Slot, Slots
from dnnbridge.optimizers.layerwise import LAMB, LARS
from dnnbridge.optimizers.lookahead import Lookahead
from dnnbridge.optimizers.moments import Adamax, Lion, Nadam
from dnnbridge.optimizers.proximal import Ftrl, ProximalAdagrad
from dnnbridge.optimizers.rprop import Rprop
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
    "ASGD",
    "LAMB",
    "LARS",
    "Adafactor",
    "ExponentialMovingAverage",
    "StochasticWeightAverage",
    "Lookahead",
    "Ftrl",
    "ProximalAdagrad",
    "Rprop",
]

"""Optimizers: each one class with its update equation."""

from dnnbridge.optimizers.adam import Adam
from dnnbridge.optimizers.base import AbstractOptimizer, Scalars, Slot, Slots
from dnnbridge.optimizers.sgd import SGD

__all__ = ["SGD", "AbstractOptimizer", "Adam", "Scalars", "Slot", "Slots"]

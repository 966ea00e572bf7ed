"""Losses."""

from dnnbridge.losses.base import AbstractLoss, Target
from dnnbridge.losses.cross_entropy import CategoricalCrossEntropy, SparseCategoricalCrossEntropy
from dnnbridge.losses.regression import MeanSquaredError

__all__ = [
    "AbstractLoss",
    "CategoricalCrossEntropy",
    "MeanSquaredError",
    "SparseCategoricalCrossEntropy",
    "Target",
]

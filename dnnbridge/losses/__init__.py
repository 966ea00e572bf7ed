"""Losses."""

from dnnbridge.losses.base import AbstractLoss, Target
from dnnbridge.losses.binary import BinaryCrossEntropy, BinaryFocalCrossEntropy
from dnnbridge.losses.cross_entropy import (
    CategoricalCrossEntropy,
    CategoricalFocalCrossEntropy,
    SparseCategoricalCrossEntropy,
)
from dnnbridge.losses.ctc import CTC
from dnnbridge.losses.divergence import CosineSimilarity, KLDivergence, Poisson
from dnnbridge.losses.margin import CategoricalHinge, Hinge, SquaredHinge
from dnnbridge.losses.regression import (
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
)

__all__ = [
    "CTC",
    "AbstractLoss",
    "BinaryCrossEntropy",
    "BinaryFocalCrossEntropy",
    "CategoricalCrossEntropy",
    "CategoricalFocalCrossEntropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossEntropy",
    "SquaredHinge",
    "Target",
]

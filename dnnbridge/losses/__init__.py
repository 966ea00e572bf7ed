"""Losses."""

from dnnbridge.losses.base import AbstractLoss
from dnnbridge.losses.binary import BinaryCrossentropy, BinaryFocalCrossentropy
from dnnbridge.losses.cross_entropy import (
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    SparseCategoricalCrossentropy,
)
from dnnbridge.losses.ctc import CTC
from dnnbridge.losses.divergence import CosineSimilarity, KLDivergence, Poisson
from dnnbridge.losses.margin import CategoricalHinge, Hinge, SquaredHinge
from dnnbridge.losses.overlap import Dice, Tversky
from dnnbridge.losses.regression import (
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
)
from dnnbridge.losses.target import Target
from dnnbridge.losses.time_distributed import TimeDistributedLoss
from dnnbridge.specs.former_names import forwarding

__all__ = [
    "AbstractLoss",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CTC",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Dice",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Target",
    "TimeDistributedLoss",
    "Tversky",
]

__getattr__ = forwarding(__name__, globals().get)

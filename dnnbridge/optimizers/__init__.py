"""Optimizers: each one class with its update equation."""

from dnnbridge.optimizers.adagrad import Adadelta, Adagrad, RMSProp
from dnnbridge.optimizers.adam import Adam
from dnnbridge.optimizers.adamw import AdamW
from dnnbridge.optimizers.base import AbstractOptimizer, Scalars, Slot, Slots
from dnnbridge.optimizers.composed import AbstractComposed, AbstractWrapper
from dnnbridge.optimizers.groups import LearningRateMultipliers, ParameterGroups
from dnnbridge.optimizers.moments import Adamax, Lion, Nadam
from dnnbridge.optimizers.native import (
    NativeDifferenceWarning,
    NativeOptions,
    from_native,
    shortest,
)
from dnnbridge.optimizers.sgd import SGD
from dnnbridge.optimizers.wrappers import GradientAccumulation, WithGradientRules

__all__ = [
    "SGD",
    "AbstractComposed",
    "AbstractOptimizer",
    "AbstractWrapper",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "GradientAccumulation",
    "LearningRateMultipliers",
    "Lion",
    "Nadam",
    "NativeDifferenceWarning",
    "NativeOptions",
    "ParameterGroups",
    "RMSProp",
    "Scalars",
    "Slot",
    "Slots",
    "WithGradientRules",
    "from_native",
    "shortest",
]

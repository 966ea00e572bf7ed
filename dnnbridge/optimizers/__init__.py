"""Optimizers: one class each, with the update equation."""

import importlib
from typing import TYPE_CHECKING, Any

from dnnbridge.optimizers.accumulation import (
    Accumulation,
    AccumulationField,
    AccumulationLike,
    GradientAccumulation,
    as_accumulation,
)
from dnnbridge.optimizers.adafactor import Adafactor
from dnnbridge.optimizers.adagrad import Adadelta, Adagrad, RMSprop
from dnnbridge.optimizers.adam import Adam
from dnnbridge.optimizers.adamw import AdamW
from dnnbridge.optimizers.averaging import (
    ASGD,
    ExponentialMovingAverage,
    StochasticWeightAverage,
)
from dnnbridge.optimizers.base import AbstractOptimizer, Scalars, Slot, Slots
from dnnbridge.optimizers.composed import AbstractComposed, AbstractFollower, AbstractWrapper
from dnnbridge.optimizers.field import as_optimizer
from dnnbridge.optimizers.groups import LearningRateMultipliers, ParameterGroups
from dnnbridge.optimizers.layerwise import LARS, Lamb
from dnnbridge.optimizers.lazy import LazyAdam
from dnnbridge.optimizers.lookahead import Lookahead
from dnnbridge.optimizers.moments import Adamax, Lion, Nadam
from dnnbridge.optimizers.native import (
    NativeDifferenceWarning,
    NativeOptions,
    shortest,
)
from dnnbridge.optimizers.proximal import Ftrl, ProximalAdagrad
from dnnbridge.optimizers.rprop import Rprop
from dnnbridge.optimizers.sgd import SGD
from dnnbridge.optimizers.wrappers import WithGradientRules
from dnnbridge.specs.former_names import forwarding

if TYPE_CHECKING:
    from dnnbridge.backend.native import from_native as from_native

__all__ = [
    "ASGD",
    "AbstractComposed",
    "AbstractFollower",
    "AbstractOptimizer",
    "AbstractWrapper",
    "Accumulation",
    "AccumulationField",
    "AccumulationLike",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "ExponentialMovingAverage",
    "Ftrl",
    "GradientAccumulation",
    "Lamb",
    "LARS",
    "LazyAdam",
    "LearningRateMultipliers",
    "Lion",
    "Lookahead",
    "Nadam",
    "NativeDifferenceWarning",
    "NativeOptions",
    "ParameterGroups",
    "ProximalAdagrad",
    "RMSprop",
    "Rprop",
    "SGD",
    "Scalars",
    "Slot",
    "Slots",
    "StochasticWeightAverage",
    "WithGradientRules",
    "as_accumulation",
    "as_optimizer",
    "from_native",
    "shortest",
]


def __getattr__(name: str) -> Any:
    if name == "from_native":  # it needs the backends, a higher layer
        return importlib.import_module("dnnbridge.backend.native").from_native
    return forwarding(__name__, globals().get)(name)

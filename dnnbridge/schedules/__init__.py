"""Learning-rate schedules, and MindSpore's list functions."""

from dnnbridge.schedules.base import AbstractSchedule, ConstantSchedule, ScheduleLike, as_schedule
from dnnbridge.schedules.combining import Join, PerEpoch, Scaled, Warmup
from dnnbridge.schedules.cycles import CosineDecayRestarts, CyclicalLearningRate, OneCycle
from dnnbridge.schedules.decay import (
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    LinearWarmup,
    NaturalExpDecay,
    PolynomialDecay,
)
from dnnbridge.schedules.fraction import FractionLike, KeepRate, fraction_at
from dnnbridge.schedules.mindspore_lists import (
    cosine_decay_lr,
    exponential_decay_lr,
    inverse_decay_lr,
    natural_exp_decay_lr,
    piecewise_constant_lr,
    polynomial_decay_lr,
    warmup_lr,
)
from dnnbridge.schedules.piecewise import PiecewiseConstant
from dnnbridge.schedules.table import EveryNth, TableSchedule

__all__ = [
    "CosineDecayRestarts",
    "CyclicalLearningRate",
    "OneCycle",
    "Join",
    "PerEpoch",
    "Scaled",
    "Warmup",
    "AbstractSchedule",
    "ConstantSchedule",
    "CosineDecay",
    "EveryNth",
    "ExponentialDecay",
    "FractionLike",
    "InverseTimeDecay",
    "KeepRate",
    "LinearWarmup",
    "NaturalExpDecay",
    "PiecewiseConstant",
    "PolynomialDecay",
    "ScheduleLike",
    "TableSchedule",
    "as_schedule",
    "cosine_decay_lr",
    "exponential_decay_lr",
    "fraction_at",
    "inverse_decay_lr",
    "natural_exp_decay_lr",
    "piecewise_constant_lr",
    "polynomial_decay_lr",
    "warmup_lr",
]

"""Learning-rate schedules, and MindSpore's classes and list functions under their names."""

from dnnbridge.schedules.base import (
    AbstractSchedule,
    ConstantSchedule,
    ScheduleField,
    ScheduleLike,
    as_schedule,
)
from dnnbridge.schedules.combining import Join, PerEpoch, Scaled, Staircase, Warmup
from dnnbridge.schedules.cycles import (
    CosineDecayRestarts,
    CyclicalLearningRate,
    OneCycle,
    OneCycleMomentum,
)
from dnnbridge.schedules.decay import (
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    LinearWarmup,
    NaturalExpDecay,
    PolynomialDecay,
    PowerDecay,
)
from dnnbridge.schedules.fraction import FractionLike, KeepRate, fraction_at
from dnnbridge.schedules.listening import heard
from dnnbridge.schedules.mindspore_classes import (
    CosineDecayLR,
    ExponentialDecayLR,
    InverseDecayLR,
    NaturalExpDecayLR,
    PolynomialDecayLR,
    WarmUpLR,
)
from dnnbridge.schedules.mindspore_lists import (
    cosine_decay_lr,
    exponential_decay_lr,
    inverse_decay_lr,
    natural_exp_decay_lr,
    piecewise_constant_lr,
    polynomial_decay_lr,
    warmup_lr,
)
from dnnbridge.schedules.piecewise import PiecewiseConstant, PiecewiseConstantDecay
from dnnbridge.schedules.plateau import Plateau
from dnnbridge.schedules.strided import Strided
from dnnbridge.schedules.table import TableSchedule

__all__ = [
    "AbstractSchedule",
    "ConstantSchedule",
    "CosineDecay",
    "CosineDecayLR",
    "CosineDecayRestarts",
    "CyclicalLearningRate",
    "ExponentialDecay",
    "ExponentialDecayLR",
    "FractionLike",
    "InverseDecayLR",
    "InverseTimeDecay",
    "Join",
    "KeepRate",
    "LinearWarmup",
    "NaturalExpDecay",
    "NaturalExpDecayLR",
    "OneCycle",
    "OneCycleMomentum",
    "PerEpoch",
    "PiecewiseConstant",
    "PiecewiseConstantDecay",
    "Plateau",
    "PolynomialDecay",
    "PolynomialDecayLR",
    "PowerDecay",
    "Scaled",
    "ScheduleField",
    "ScheduleLike",
    "Staircase",
    "Strided",
    "TableSchedule",
    "WarmUpLR",
    "Warmup",
    "as_schedule",
    "cosine_decay_lr",
    "exponential_decay_lr",
    "fraction_at",
    "heard",
    "inverse_decay_lr",
    "natural_exp_decay_lr",
    "piecewise_constant_lr",
    "polynomial_decay_lr",
    "warmup_lr",
]

"""Cases of optimizers: trajectories under a changing rate, with tiny and huge gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dnnbridge import randomness
from dnnbridge.optimizers import (
    SGD,
    AbstractOptimizer,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lion,
    Nadam,
    RMSProp,
)
from dnnbridge.schedules import ExponentialDecay, PiecewiseConstant
from dnnbridge.weight_decay import CoupledWeightDecay

Array = npt.NDArray[np.float32]

STEPS = 60

CHANGING = PiecewiseConstant((5, 12, 20, 40), (0.1, 0.05, 0.2, 0.01, 0.3))
"""A rate that falls and rises: conventions about momentum differ only then."""


MOMENTUM = PiecewiseConstant((7, 15, 22, 45), (0.5, 0.95, 0.0, 0.9, 0.8))
"""A momentum that changes at other steps than the rate, and is 0 for a while."""

DECAY = CoupledWeightDecay(ExponentialDecay(0.1, 10, 0.9))


@dataclass(frozen=True, eq=False)
class OptimizerCase:
    """An optimizer, a start, and the gradient of every step."""

    id: str
    optimizer: AbstractOptimizer
    start: Array
    gradients: Array


def _case(name: str, optimizer: AbstractOptimizer) -> OptimizerCase:
    rng = randomness.generator(0, "optimizer case")
    magnitudes = np.repeat([1e-6, 1e-3, 1.0, 100.0], 3)[:, None]
    gradients = rng.normal(size=(STEPS, 12, 3)) * magnitudes
    gradients[:, :, 2] *= rng.random((STEPS, 12)) < 0.3  # mostly zero, as for rare words
    start = rng.normal(size=(12, 3))
    return OptimizerCase(name, optimizer, start.astype("float32"), gradients.astype("float32"))


OPTIMIZER_CASES: list[OptimizerCase] = [
    _case("sgd", SGD(CHANGING)),
    _case("sgd-momentum", SGD(CHANGING, momentum=0.9)),
    _case("sgd-nesterov", SGD(CHANGING, momentum=0.9, nesterov=True)),
    _case("sgd-dampening", SGD(CHANGING, momentum=0.9, dampening=0.3)),
    _case("sgd-keras", SGD.keras(CHANGING, momentum=0.9)),
    _case("sgd-keras-nesterov", SGD.keras(CHANGING, momentum=0.9, nesterov=True)),
    _case("sgd-mindspore", SGD.mindspore(CHANGING, momentum=0.8, dampening=0.2)),
    _case("sgd-momentum-schedule", SGD(CHANGING, momentum=MOMENTUM, dampening=0.1)),
    _case("sgd-keras-schedule", SGD.keras(CHANGING, MOMENTUM, True, weight_decay=0.02)),
    _case("sgd-mindspore-decay", SGD.mindspore(CHANGING, 0.9, weight_decay=0.03)),
    _case("adam", Adam(CHANGING)),
    _case("adam-textbook", Adam(CHANGING, epsilon=1e-3, epsilon_hat=False)),
    _case("adam-betas", Adam(ExponentialDecay(0.1, 10, 0.9), beta_1=0.5, beta_2=0.9)),
    _case("adam-mindspore", Adam.mindspore(CHANGING)),
    _case("adam-amsgrad", Adam(CHANGING, beta_2=0.9, amsgrad=True)),
    _case("adam-nesterov", Adam(CHANGING, nesterov=True)),
    _case("adam-beta-schedule", Adam(CHANGING, beta_1=MOMENTUM)),
    _case("adam-nesterov-schedule", Adam(CHANGING, beta_1=MOMENTUM, amsgrad=True, nesterov=True)),
    _case("adam-decay", Adam(CHANGING, weight_decay=DECAY)),
    _case("adamw", AdamW(CHANGING)),
    _case("adamw-textbook", AdamW(CHANGING, epsilon=1e-3, epsilon_hat=False, weight_decay=0.1)),
    _case("adamw-beta-schedule", AdamW(CHANGING, MOMENTUM, bias_correction=False)),
    _case("adamw-mindspore", AdamW.mindspore(CHANGING, weight_decay=0.05)),
    _case("adagrad", Adagrad(CHANGING)),
    _case("adagrad-mindspore", Adagrad.mindspore(CHANGING)),
    _case("adagrad-outside", Adagrad(CHANGING, 0.0, 1e-3, epsilon_inside=False)),
    _case("rmsprop", RMSProp(CHANGING, epsilon=1e-4)),
    _case("rmsprop-momentum", RMSProp(CHANGING, 0.8, 0.9, 1e-4)),
    _case("rmsprop-outside", RMSProp(CHANGING, 0.8, 0.0, 1e-3, epsilon_inside=False)),
    _case("rmsprop-centered", RMSProp(CHANGING, 0.8, 0.5, 1e-2, centered=True)),
    _case("rmsprop-schedule", RMSProp(CHANGING, 0.8, MOMENTUM, 1e-4, weight_decay=0.01)),
    _case("rmsprop-mindspore", RMSProp.mindspore(CHANGING, momentum=0.9)),
    _case("adadelta", Adadelta(CHANGING)),
    _case("adadelta-mindspore", Adadelta.mindspore()),
    _case("adamax", Adamax(CHANGING)),
    _case("adamax-mindspore", Adamax.mindspore(CHANGING, 0.5, 0.9)),
    _case("nadam", Nadam(CHANGING)),
    _case("nadam-slow", Nadam(CHANGING, 0.8, 0.9, 1e-3, 0.004)),
    _case("lion", Lion(CHANGING)),
]
"""Every optimizer has a case here; the suite insists."""

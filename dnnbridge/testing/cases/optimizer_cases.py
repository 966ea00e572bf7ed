"""Cases of optimizers: trajectories under a changing rate, with tiny and huge gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dnnbridge.base import randomness
from dnnbridge.optimizers import (
    ASGD,
    LARS,
    SGD,
    AbstractOptimizer,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    ExponentialMovingAverage,
    Ftrl,
    GradientAccumulation,
    Lamb,
    LazyAdam,
    LearningRateMultipliers,
    Lion,
    Lookahead,
    Nadam,
    ParameterGroups,
    ProximalAdagrad,
    RMSprop,
    Rprop,
    StochasticWeightAverage,
    WithGradientRules,
)
from dnnbridge.optimizers.gradient_rules import AdaptiveClip
from dnnbridge.optimizers.weight_decay import CoupledWeightDecay
from dnnbridge.schedules import ExponentialDecay, PiecewiseConstant
from dnnbridge.testing.tolerances import UPDATES

Array = npt.NDArray[np.float32]

STEPS = 300

CHANGING = PiecewiseConstant(
    (5, 12, 20, 40, 90, 150, 230), (0.1, 0.05, 0.2, 0.01, 0.3, 0.02, 0.1, 0.005)
)
"""A rate that falls and rises. With a constant rate, conventions about momentum would agree."""

MAGNITUDES = (1e-8, 1e-3, 1.0, 1e4)
"""Scales of gradients; each has three rows of the array."""


MOMENTUM = PiecewiseConstant((7, 15, 22, 45), (0.5, 0.95, 0.0, 0.9, 0.8))
"""A momentum that changes at other steps than the rate, and is 0 for a while."""

DECAY = CoupledWeightDecay(ExponentialDecay(0.1, 10, 0.9))


Witness = Callable[[Array, Array], Array]


@dataclass(frozen=True, eq=False)
class OptimizerCase:
    """An optimizer, an initial parameter, and the gradient of every step.

    Attributes:
        tolerance: relative L2 distance allowed for the parameter and each slot.
        witness: an independent implementation in plain NumPy that uses only the rate of
            dnnbridge. It takes the start and the gradients, and returns the final parameter.
    """

    id: str
    optimizer: AbstractOptimizer
    start: Array
    gradients: Array
    tolerance: float = UPDATES
    witness: Witness | None = None

    def parts(self, shape: tuple[int, ...]) -> Iterator[tuple[float, slice]]:
        """Yield the rows of each magnitude, because the largest dominate the norm of the array."""
        rows = len(self.start) // len(MAGNITUDES)
        for k, scale in enumerate(MAGNITUDES):
            if shape and shape[0] == len(self.start):
                yield scale, slice(k * rows, (k + 1) * rows)


def _case(
    name: str,
    optimizer: AbstractOptimizer,
    tolerance: float = UPDATES,
    shape: tuple[int, ...] = (12, 3),
    not_read: bool = False,
    witness: Witness | None = None,
) -> OptimizerCase:
    rng = randomness.generator(0, "optimizer case")
    magnitudes = np.repeat(MAGNITUDES, 3)[:, None]
    gradients = rng.normal(size=(STEPS, 12, 3)) * magnitudes
    gradients[:, :, 2] *= rng.random((STEPS, 12)) < 0.3  # mostly zero, as for rare words
    if not_read:
        gradients *= rng.random((STEPS, 12))[:, :, None] < 0.4
    start = rng.normal(size=(12, 3)).reshape(shape).astype("float32")
    gradients = gradients.reshape(STEPS, *shape).astype("float32")
    return OptimizerCase(name, optimizer, start, gradients, tolerance, witness)


def _momentum(p: Array, gradients: Array) -> Array:
    velocity = np.zeros_like(p)
    for step, g in enumerate(gradients):
        velocity = 0.9 * velocity + g
        p = p - CHANGING(step) * velocity
    return p


OPTIMIZER_CASES: list[OptimizerCase] = [
    _case("sgd", SGD(CHANGING)),
    _case("sgd-momentum", SGD(CHANGING, momentum=0.9), witness=_momentum),
    _case("sgd-nesterov", SGD(CHANGING, momentum=0.9, nesterov=True)),
    _case("sgd-dampening", SGD(CHANGING, momentum=0.9, dampening=0.3)),
    _case("sgd-keras", SGD.keras(CHANGING, momentum=0.9)),
    _case("sgd-keras-nesterov", SGD.keras(CHANGING, momentum=0.9, nesterov=True)),
    _case("sgd-mindspore", SGD.mindspore(CHANGING, momentum=0.8, dampening=0.2)),
    _case("sgd-momentum-schedule", SGD(CHANGING, momentum=MOMENTUM, dampening=0.1)),
    _case("sgd-keras-schedule", SGD.keras(CHANGING, MOMENTUM, True, weight_decay=0.02)),
    _case("sgd-mindspore-decay", SGD.mindspore(CHANGING, 0.9, weight_decay=0.03), tolerance=2e-6),
    _case("adam", Adam(CHANGING)),
    _case("adam-textbook", Adam(CHANGING, epsilon=1e-3, epsilon_hat=False)),
    _case("adam-betas", Adam(ExponentialDecay(0.1, 10, 0.9), beta_1=0.5, beta_2=0.9)),
    _case("adam-mindspore", Adam.mindspore(CHANGING)),
    _case("adam-amsgrad", Adam(CHANGING, beta_2=0.9, amsgrad=True)),
    _case("adam-nesterov", Adam(CHANGING, nesterov=True)),
    _case("adam-beta-schedule", Adam(CHANGING, beta_1=MOMENTUM)),
    _case("adam-nesterov-schedule", Adam(CHANGING, beta_1=MOMENTUM, amsgrad=True, nesterov=True)),
    _case("adam-decay", Adam(CHANGING, weight_decay=DECAY)),
    _case("adamw", AdamW(CHANGING), tolerance=2e-6),
    _case("adamw-textbook", AdamW(CHANGING, epsilon=1e-3, epsilon_hat=False, weight_decay=0.1)),
    _case("adamw-beta-schedule", AdamW(CHANGING, beta_1=MOMENTUM, bias_correction=False)),
    _case("adamw-mindspore", AdamW.mindspore(CHANGING, weight_decay=0.05)),
    _case("lazyadam", LazyAdam(CHANGING, lazy=("p",)), not_read=True),
    _case("lazyadam-elements", LazyAdam(CHANGING, lazy=("p",), epsilon_hat=False), shape=(36,)),
    _case("lazyadam-mindspore", LazyAdam.mindspore(CHANGING, 0.5, use_nesterov=True)),
    _case("adagrad", Adagrad(CHANGING)),
    _case("adagrad-mindspore", Adagrad.mindspore(CHANGING)),
    _case("adagrad-outside", Adagrad(CHANGING, 0.0, 1e-3, epsilon_inside=False)),
    _case("rmsprop", RMSprop(CHANGING, epsilon=1e-4)),
    _case("rmsprop-momentum", RMSprop(CHANGING, 0.8, 0.9, 1e-4)),
    _case("rmsprop-outside", RMSprop(CHANGING, 0.8, 0.0, 1e-3, epsilon_inside=False)),
    _case("rmsprop-centered", RMSprop(CHANGING, 0.8, 0.5, 1e-2, centered=True)),
    _case("rmsprop-schedule", RMSprop(CHANGING, 0.8, MOMENTUM, 1e-4, weight_decay=0.01)),
    _case("rmsprop-mindspore", RMSprop.mindspore(CHANGING, momentum=0.9)),
    _case("adadelta", Adadelta(CHANGING)),
    _case("adadelta-mindspore", Adadelta.mindspore()),
    _case("adamax", Adamax(CHANGING)),
    _case("adamax-mindspore", Adamax.mindspore(CHANGING, 0.5, 0.9)),
    _case("nadam", Nadam(CHANGING)),
    _case("nadam-slow", Nadam(CHANGING, 0.8, 0.9, 1e-3, 0.004)),
    # Float32 rounds a sum of equal steps the same way each time. In NumPy, the float32 sum of the
    # exact steps is 1.3e-6 from the float64 sum; for AdamW it is 1.1e-6.
    _case("lion", Lion(CHANGING), tolerance=2e-6),
    _case("lamb", Lamb(CHANGING)),
    _case("lamb-decay", Lamb.mindspore(CHANGING, 0.8, 0.99, weight_decay=0.1)),
    _case("lars", LARS(CHANGING, trust_coefficient=0.1)),
    _case("lars-nesterov", LARS(CHANGING, 0.8, 0.1, 0.05, 10.0, nesterov=True)),
    _case("lars-mindspore", LARS.mindspore(CHANGING, coefficient=0.1, weight_decay=0.01)),
    _case("lars-clip", LARS(CHANGING, 0.0, 0.02, clip=True)),
    _case("adafactor", Adafactor(CHANGING)),
    _case("adafactor-vector", Adafactor(CHANGING), shape=(36,)),
    _case("adafactor-kernel", Adafactor(CHANGING, epsilon_2=3.0, beta_1=0.5), shape=(4, 3, 1, 3)),
    _case("adafactor-mindspore", Adafactor.mindspore()),
    _case("adafactor-manual", Adafactor(CHANGING, -0.5, 1e-20, 1e-2, 0.5, False, 0.5, False)),
    _case("ftrl", Ftrl(CHANGING)),
    _case("ftrl-penalties", Ftrl(CHANGING, -0.5, 0.2, 0.05, 0.1, 0.01, 0.5)),
    _case("ftrl-linear", Ftrl(CHANGING, -1.0, 0.1, 0.05)),
    _case("ftrl-fixed", Ftrl(CHANGING, 0.0, 0.1, 0.05)),
    _case("ftrl-power", Ftrl(CHANGING, -0.3, 0.1, 0.05)),
    _case("ftrl-mindspore", Ftrl.mindspore(0.1, l1=0.05, l2=0.1)),
    _case("rprop", Rprop()),
    _case("rprop-mindspore", Rprop.mindspore(0.2, (0.6, 1.5), (1e-3, 2.0))),
    _case("proximal-adagrad", ProximalAdagrad(CHANGING)),
    _case("proximal-adagrad-penalties", ProximalAdagrad(CHANGING, 0.5, 0.05, 0.1)),
    _case("asgd", ASGD(CHANGING)),
    _case("asgd-averaging", ASGD(CHANGING, 0.01, 0.6, 50.0)),
    _case("lookahead", Lookahead(SGD(CHANGING, momentum=0.9))),
    _case("lookahead-adam", Lookahead(Adam(CHANGING), 7, 0.8)),
    _case("ema", ExponentialMovingAverage(Adam(CHANGING), 0.9)),
    _case("ema-overwrite", ExponentialMovingAverage(SGD(CHANGING, momentum=0.9), 0.99, 3, 20)),
    _case("swa", StochasticWeightAverage(RMSprop(CHANGING), 100, 7)),
    _case("swa-lookahead", Lookahead(StochasticWeightAverage(SGD(CHANGING), 50), 4)),
    _case("decay-decoupled", SGD(CHANGING, momentum=0.9, weight_decay=0.1)),
    _case("decay-coupled", Adam(CHANGING, weight_decay=CoupledWeightDecay(0.1))),
    _case("rules", WithGradientRules(SGD(CHANGING, momentum=0.9), AdaptiveClip())),
    _case("accumulation", GradientAccumulation(Adam(CHANGING), 3)),
    _case("groups", ParameterGroups({"p": Adam(CHANGING), "*": SGD(0.1)})),
    _case("multipliers", LearningRateMultipliers(SGD(CHANGING, momentum=0.9), {"p": 0.3})),
]
"""A test checks that every optimizer has a case here."""

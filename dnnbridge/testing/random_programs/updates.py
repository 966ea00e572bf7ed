"""Strategies of losses, schedules, optimizers and the fields that change updates."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from dnnbridge import losses, optimizers, schedules
from dnnbridge.losses import AbstractLoss
from dnnbridge.optimizers import AbstractOptimizer, gradient_rules
from dnnbridge.optimizers.loss_scale import DynamicLossScale, FixedLossScale
from dnnbridge.optimizers.weight_decay import CoupledWeightDecay
from dnnbridge.weights import regularizers
from dnnbridge.weights.constraints import MaxNorm

RATES: st.SearchStrategy[Any] = st.sampled_from(
    [
        0.1,
        0.01,
        schedules.ExponentialDecay(0.1, 2, 0.5),
        schedules.CosineDecay(0.1, 3),
        schedules.PiecewiseConstant((1, 2), (0.1, 0.02, 0.2)),
        schedules.PolynomialDecay(0.1, 3),
        schedules.InverseTimeDecay(0.1, 2, 0.5),
    ]
)

_DECAYS: st.SearchStrategy[Any] = st.sampled_from(
    [None, 0.01, CoupledWeightDecay(0.02), CoupledWeightDecay(0.1, exempt=("*/bias",))]
)

_MOMENTA: st.SearchStrategy[Any] = st.sampled_from(
    [0.9, schedules.PiecewiseConstant((1,), (0.9, 0.5))]
)

_BETAS: st.SearchStrategy[Any] = st.sampled_from([0.9, 0.5])


def of_outputs(count: int) -> st.SearchStrategy[AbstractLoss]:
    """Losses for outputs with the given number of columns."""
    smoothing = st.sampled_from([0.0, 0.1])
    given: dict[str, Any] = {
        "reduction": st.sampled_from(["mean", "sum", "weighted_mean"]),
    }
    smooth = given | {"label_smoothing": smoothing, "from_logits": st.just(True)}
    real = [losses.MeanSquaredError, losses.Huber, losses.LogCosh, losses.MeanAbsoluteError]
    made: list[st.SearchStrategy[AbstractLoss]] = [st.builds(kind, **given) for kind in real]
    made.append(st.builds(losses.BinaryCrossentropy, **smooth))
    made.append(st.builds(losses.BinaryFocalCrossentropy, **smooth))
    if count > 1:
        classes = [
            losses.SparseCategoricalCrossentropy,
            losses.CategoricalCrossentropy,
            losses.CategoricalFocalCrossentropy,
        ]
        made += [st.builds(kind, **smooth) for kind in classes]
        made.append(st.builds(losses.KLDivergence, from_logits=st.just(True), **given))
        made.append(st.builds(losses.CosineSimilarity, **given))
    return st.one_of(*made)


def _plain() -> st.SearchStrategy[AbstractOptimizer]:
    decay = {"weight_decay": _DECAYS}
    sgd = {"momentum": _MOMENTA, "dampening": st.sampled_from([0.0, 0.2])}
    adam = {"beta_1": _BETAS, "amsgrad": st.booleans(), "epsilon_hat": st.booleans()}
    square = {"rho": _BETAS, "momentum": _MOMENTA, "centered": st.booleans()}
    kinds = [optimizers.Adagrad, optimizers.Adadelta, optimizers.Adamax, optimizers.Nadam]
    return st.one_of(
        st.builds(optimizers.SGD, RATES, **decay),
        st.builds(optimizers.SGD, RATES, **decay, **sgd),
        st.builds(optimizers.SGD, RATES, _MOMENTA, st.just(True), **decay),
        st.builds(optimizers.Adam, RATES, **decay, **adam, nesterov=st.booleans()),
        st.builds(optimizers.AdamW, RATES, **adam),
        st.builds(optimizers.RMSprop, RATES, epsilon=st.just(1e-3), **decay, **square),
        *(st.builds(kind, RATES, **decay) for kind in kinds),
        st.builds(optimizers.Lamb, RATES, **decay),
        st.builds(optimizers.LARS, RATES, nesterov=st.booleans()),
        st.builds(optimizers.Lion, RATES, **decay),
        st.builds(optimizers.Adafactor, RATES),
        st.builds(optimizers.Ftrl, RATES, l2_regularization_strength=st.sampled_from([0.0, 0.1])),
    )


def of_weights() -> st.SearchStrategy[AbstractOptimizer]:
    """Optimizers, plain and wrapped."""
    plain = _plain()
    steps = st.integers(1, 2)
    return st.one_of(
        plain,
        plain,
        st.builds(optimizers.Lookahead, plain, steps),
        st.builds(optimizers.ExponentialMovingAverage, plain, _BETAS),
        st.builds(lambda a, b: optimizers.ParameterGroups({"*/bias": a, "*": b}), plain, plain),
        st.builds(lambda a: optimizers.LearningRateMultipliers(a, {"*/kernel": 0.3}), plain),
    )


def around() -> st.SearchStrategy[dict[str, Any]]:
    """Other fields of an experiment that affect updates. Each may be left at its default."""
    rules = [
        gradient_rules.ClipByGlobalNorm(0.3),
        gradient_rules.ClipByNorm(0.2),
        gradient_rules.ClipByValue(0.05),
        gradient_rules.AdaptiveClip(),
        gradient_rules.CentralizeGradients(),
    ]
    fields: dict[str, Any] = {
        "gradients": st.sampled_from(rules),
        "accumulate": st.just(2),
        "loss_scale": st.sampled_from([FixedLossScale(64.0), DynamicLossScale()]),
        "regularizers": st.just({"*/kernel": regularizers.L1L2(0.01, 0.01)}),
        "constraints": st.just({"*/kernel": MaxNorm(0.8)}),
        "frozen": st.just(("*/bias",)),
    }
    return st.fixed_dictionaries({}, optional=fields)

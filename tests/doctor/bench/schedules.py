"""Pairs whose learning rates differ."""

from __future__ import annotations

from doctor.bench.data import REGRESSION
from doctor.bench.nets import cell, dense
from doctor.bench.pair import Expected, Pair

KERNEL = "dense/kernel"


def _scheduled(make):
    """Return the Keras program with plain SGD under a schedule."""
    return dense(lambda o: o.SGD(make(o.schedules)))


def _listed(make):
    """Return the MindSpore program with plain SGD under a list or a schedule."""
    return cell(lambda nn, p: nn.SGD(p, learning_rate=make(nn)))


PAIRS = (
    Pair(
        "piecewise-boundary",
        "schedule",
        "piecewise_constant_lr falls one step earlier",
        _scheduled(lambda s: s.PiecewiseConstantDecay([2], [0.1, 0.01])),
        _listed(lambda nn: nn.piecewise_constant_lr([2, 12], [0.1, 0.01])),
        REGRESSION,
        (Expected("update", KERNEL, "piecewise-boundary"),),
        steps=4,
    ),
    Pair(
        "exponential-by-epochs",
        "schedule",
        "exponential_decay_lr counts epochs of two steps",
        _scheduled(lambda s: s.ExponentialDecay(0.1, decay_steps=2, decay_rate=0.8)),
        _listed(lambda nn: nn.exponential_decay_lr(0.1, 0.8, 12, 2, 1)),
        REGRESSION,
        (Expected("update", KERNEL, "exponential-epochs"),),
        steps=4,
    ),
    Pair(
        "exponential-staircase",
        "schedule",
        "staircase in MindSpore alone",
        _scheduled(lambda s: s.ExponentialDecay(0.1, decay_steps=2, decay_rate=0.8)),
        _listed(lambda nn: nn.ExponentialDecayLR(0.1, 0.8, 2, is_stair=True)),
        REGRESSION,
        (Expected("update", KERNEL, says="staircase"),),
        steps=4,
    ),
    Pair(
        "warmup-by-epochs",
        "schedule",
        "warmup_lr counts epochs of two steps",
        _scheduled(lambda s: s.CosineDecay(0.0, 100, alpha=1.0, warmup_target=0.1, warmup_steps=4)),
        _listed(lambda nn: nn.warmup_lr(0.1, 12, 2, 2)),
        REGRESSION,
        (Expected("update", KERNEL, "warmup-epochs"),),
        steps=4,
    ),
    Pair(
        "cosine-floor",
        "schedule",
        "alpha of CosineDecay is a share, min_lr of CosineDecayLR a rate",
        _scheduled(lambda s: s.CosineDecay(0.1, 6, alpha=0.01)),
        _listed(lambda nn: nn.CosineDecayLR(min_lr=0.01, max_lr=0.1, decay_steps=6)),
        REGRESSION,
        (Expected("update", KERNEL, "cosine-floor", "alpha"),),
        steps=4,
    ),
    Pair(
        "polynomial-by-epochs",
        "schedule",
        "polynomial_decay_lr counts epochs of two steps",
        _scheduled(lambda s: s.PolynomialDecay(0.1, 4, end_learning_rate=0.01)),
        _listed(lambda nn: nn.polynomial_decay_lr(0.1, 0.01, 12, 2, 2, 1.0)),
        REGRESSION,
        (Expected("update", KERNEL, "polynomial-end"),),
        steps=4,
    ),
    Pair(
        "rates-of-the-next-step",
        "schedule",
        "a list that begins with the rate of the second step",
        _scheduled(lambda s: s.InverseTimeDecay(0.1, decay_steps=1, decay_rate=0.5)),
        _listed(lambda nn: [0.1 / (1 + 0.5 * (step + 1)) for step in range(12)]),
        REGRESSION,
        (Expected("update", KERNEL, says="learning_rate"),),
    ),
    Pair(
        "constant-beside-a-schedule",
        "schedule",
        "Adam, with a schedule in Keras alone, and epsilon of each",
        dense(lambda o: o.Adam(o.schedules.ExponentialDecay(0.01, 1, 0.5), epsilon=1e-4)),
        cell(lambda nn, p: nn.Adam(p, 0.01)),
        REGRESSION,
        (
            Expected("update", KERNEL, says="epsilon"),
            Expected("update", KERNEL, says="learning_rate"),
        ),
    ),
)

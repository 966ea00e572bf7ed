"""Cases of schedules: the values that each feeds to compiled steps."""

from __future__ import annotations

from dataclasses import dataclass

from dnnbridge.schedules import (
    AbstractSchedule,
    ConstantSchedule,
    CosineDecay,
    CosineDecayRestarts,
    CyclicalLearningRate,
    ExponentialDecay,
    InverseTimeDecay,
    Join,
    KeepRate,
    LinearWarmup,
    NaturalExpDecay,
    OneCycle,
    OneCycleMomentum,
    PerEpoch,
    PiecewiseConstant,
    Plateau,
    PolynomialDecay,
    PowerDecay,
    Scaled,
    Staircase,
    Strided,
    TableSchedule,
    Warmup,
)

STEPS = 3_000
"""Number of values of each schedule that are compared."""

BLOCK = 1_000
"""Steps per call."""


@dataclass(frozen=True)
class ScheduleCase:
    """A schedule whose values a compiled step must read exactly."""

    id: str
    schedule: AbstractSchedule


JOINED = Join(
    (CosineDecay(0.1, 999), ConstantSchedule(0.7), PowerDecay(0.3, 9)), boundaries=(999, 5001)
)

SCHEDULE_CASES: list[ScheduleCase] = [
    ScheduleCase("constant", ConstantSchedule(0.1)),
    ScheduleCase("exponential", ExponentialDecay(0.1, 700, 0.7)),
    ScheduleCase("exponential-stairs", ExponentialDecay(0.1, 700, 0.7, staircase=True)),
    ScheduleCase("natural", NaturalExpDecay(0.1, 300, 0.0017)),
    ScheduleCase("natural-stairs", NaturalExpDecay(0.1, 300, 0.0017, staircase=True)),
    ScheduleCase("inverse", InverseTimeDecay(0.1, 300, 0.9)),
    ScheduleCase("inverse-stairs", InverseTimeDecay(0.1, 300, 0.9, staircase=True)),
    ScheduleCase("power", PowerDecay(0.1, 300, 1.7)),
    ScheduleCase("power-stairs", PowerDecay(0.1, 300, 1.7, staircase=True)),
    ScheduleCase("polynomial", PolynomialDecay(0.1, 9000, 1e-3, 0.7)),
    ScheduleCase("polynomial-cycle", PolynomialDecay(0.1, 900, 1e-3, 2.0, cycle=True)),
    ScheduleCase("cosine", CosineDecay(0.1, 9000, alpha=0.01)),
    ScheduleCase("cosine-restarts", CosineDecayRestarts(0.1, 300, 1.5, 0.9, 0.01)),
    ScheduleCase("cyclical", CyclicalLearningRate(0.01, 0.3, 171)),
    ScheduleCase("cyclical-halved", CyclicalLearningRate(0.01, 0.3, 171, "triangular2")),
    ScheduleCase("cyclical-range", CyclicalLearningRate(0.01, 0.3, 171, "exp_range", 0.9997)),
    ScheduleCase("one-cycle", OneCycle(0.3, 9500)),
    ScheduleCase("one-cycle-momentum", OneCycleMomentum(9500)),
    ScheduleCase("keep-rate", KeepRate(PolynomialDecay(0.5, 9000, 0.1))),
    ScheduleCase("linear-warm-up", LinearWarmup(0.1, 7000)),
    ScheduleCase("piecewise", PiecewiseConstant((100, 7000), (0.3, 0.1, 1 / 3))),
    ScheduleCase("piecewise-keras", PiecewiseConstant.keras((999, 1000), (0.3, 0.1, 1 / 3))),
    ScheduleCase("joined", JOINED),
    ScheduleCase("scaled", Scaled(PowerDecay(0.1, 300), 1 / 3)),
    ScheduleCase("warmed-up", Warmup(CosineDecay(0.1, 9000), 1001, 1e-5)),
    ScheduleCase("per-epoch", PerEpoch(ExponentialDecay(0.1, 3, 0.9), 171)),
    ScheduleCase("stairs", Staircase(CosineDecay(0.1, 9000), 171)),
    ScheduleCase("strided", Strided(ExponentialDecay(0.1, 700, 0.7), 3, 2)),
    ScheduleCase("table", TableSchedule(tuple(1.0 / (3 + k) for k in range(500)))),
    ScheduleCase("plateau", Plateau(CosineDecay(0.1, 9000), scale=0.1, min_lr=1e-3)),
]
"""A test checks that every schedule has a case here."""

"""Cases of trainings in several legs: rates set by hand, and one experiment after another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dnnbridge.experiment import Experiment
from dnnbridge.layers import BatchNormalization, Dense, Dropout, Flatten
from dnnbridge.losses import MeanSquaredError, SparseCategoricalCrossentropy
from dnnbridge.models import Input, Sequential
from dnnbridge.optimizers import SGD, Adam
from dnnbridge.schedules import AbstractSchedule, ExponentialDecay
from dnnbridge.testing.cases.training_case import TrainingCase, classes, examples


@dataclass(frozen=True, eq=False)
class Leg:
    """A part of a training.

    Attributes:
        training: its experiment and data. From the second leg on, a run keeps every weight that
            fits the new experiment.
        rates: learning rates to set by hand, by the number of steps done in this leg.
    """

    training: TrainingCase
    rates: Mapping[int, float | AbstractSchedule] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class JourneyCase:
    """Several legs, run one after the other."""

    id: str
    legs: tuple[Leg, ...]


def _transferred() -> JourneyCase:
    """Pretrain, train a new head, then train everything; rates change during a leg."""
    shared = Flatten(), Dense(12, "tanh"), BatchNormalization(momentum=0.9), Dropout(0.2)

    def model(head: Dense) -> Sequential:
        return Sequential([Input((4, 5)), *shared, head])

    first = Experiment(model(Dense(2)), MeanSquaredError(), SGD(0.05, momentum=0.9), seed=3)
    loss = SparseCategoricalCrossentropy(from_logits=True)
    head = Dense(3, name="head")
    second = Experiment(
        model(head), loss, Adam(0.02), seed=4, frozen=("dense/*", "batch_normalization/*")
    )
    third = second.replace(optimizer=SGD(0.1, momentum=0.5), frozen=())
    x, numbers, labels = examples(), examples()[:, :2, 0] ** 2, classes()
    return JourneyCase(
        "transfer",
        (
            Leg(
                TrainingCase("pretraining", first, x, numbers, epochs=3),
                {4: 0.02, 11: ExponentialDecay(0.05, decay_rate=0.5, decay_steps=4)},
            ),
            Leg(TrainingCase("head", second, x, labels, epochs=2)),
            Leg(TrainingCase("all", third, x, labels, epochs=3), {8: 0.01}),
        ),
    )


JOURNEY_CASES: list[JourneyCase] = [_transferred()]

"""Rules about learning rates that change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from dnnbridge import schedules
from dnnbridge.doctor.native_code import call
from dnnbridge.doctor.rule import Place, Places, Remedy, Rule, never
from dnnbridge.doctor.subject import Framework, Subject
from dnnbridge.schedules import AbstractSchedule

KERAS = "keras.optimizers.schedules"

MILLION = 1_000_000


def scheduled(
    kind: type[AbstractSchedule], fits: Callable[[Any], bool] = lambda spec: True
) -> Places:
    """Return what finds the first schedule of a class."""

    def places(subject: Subject) -> Iterator[Place]:
        for each in subject.updates(kind):
            if fits(each):
                yield Place(repr(each), each)
                return

    return places


def _all(subject: Subject) -> Iterator[Place]:
    return (Place(repr(each), each) for each in subject.schedules)


def _shifted(place: Place) -> Remedy:
    spec = place.spec
    early = spec.boundary_step == "earlier"
    keras = [b if early else b - 1 for b in spec.boundaries]
    mindspore = [b + 1 if early else b for b in spec.boundaries]
    rates = list(spec.rates)
    return Remedy(
        call(f"{KERAS}.PiecewiseConstantDecay", keras, rates),
        f"nn.piecewise_constant_lr({mindspore} + [steps], {rates})",
    )


def _other_boundary(place: Place, to: Framework) -> bool:
    return bool(place.spec.boundary_step == ("earlier" if to == "mindspore" else "later"))


def _floor(place: Place) -> Remedy:
    spec = place.spec
    first, steps = spec.initial_learning_rate, spec.decay_steps
    return Remedy(
        call(f"{KERAS}.CosineDecay", first, steps, alpha=spec.alpha),
        call("nn.CosineDecayLR", spec.alpha * first, first, steps),
    )


def _loses_digits(place: Place, to: Framework) -> bool:
    """Whether the rounded factor of a decay has moved the rate when a millionth of it is left."""
    spec = place.spec
    if not isinstance(spec, schedules.ExponentialDecay) or not 0 < spec.decay_rate < 1:
        return False
    exact, rounded = np.log(spec.decay_rate), np.log(float(np.float32(spec.decay_rate)))
    return bool(abs(rounded / exact - 1) * np.log(MILLION) > 1e-3)


def _in_floats(place: Place) -> Remedy:
    spec = place.spec
    first, factor, steps = spec.initial_learning_rate, spec.decay_rate, spec.decay_steps
    exponent = f"step // {steps}" if spec.staircase else f"step / {steps}"
    rates = f"rates = [{first!r} * {factor!r} ** ({exponent}) for step in range(steps)]"
    return Remedy(
        f"{rates}\noptimizer.learning_rate = rates[step]  # before each step",
        f"{rates}\noptimizer = nn.SGD(params, rates)",
    )


def _other(kind: type[AbstractSchedule], name: str, says: str, why: str) -> Rule:
    """Return the rule of a schedule whose class of the same name is right."""
    return Rule(
        name=name,
        stage="rate",
        keras=(kind.__name__,),
        places=scheduled(kind),
        says=says,
        remedy=never,
        unseen=why,
    )


RULES: tuple[Rule, ...] = (
    Rule(
        name="float32-schedule",
        stage="rate",
        keras=("ExponentialDecay",),
        mindspore=("ExponentialDecayLR",),
        places=_all,
        says="Both frameworks evaluate schedules in float32, so a rate loses digits at high steps.",
        remedy=_in_floats,
        bites=lambda place, to: place.subject.origin == "here" and _loses_digits(place, to),
        targets=("mindspore", "tensorflow"),
    ),
    Rule(
        name="piecewise-boundary",
        stage="rate",
        keras=("PiecewiseConstantDecay",),
        mindspore=("piecewise_constant_lr",),
        places=scheduled(schedules.PiecewiseConstant),
        says="At a milestone MindSpore takes the new rate; Keras keeps the old one for this step "
        "too.",
        remedy=_shifted,
        bites=_other_boundary,
        targets=("mindspore", "tensorflow"),
    ),
    Rule(
        name="cosine-floor",
        stage="rate",
        keras=("CosineDecay",),
        mindspore=("CosineDecayLR",),
        places=scheduled(schedules.CosineDecay),
        says="The floor of a cosine decay is a rate in MindSpore, a fraction of the first in "
        "Keras.",
        remedy=_floor,
        bites=lambda place, to: bool(
            place.spec.alpha != 0.0 and place.spec.initial_learning_rate != 1.0
        ),
    ),
    _other(
        schedules.ExponentialDecay,
        "exponential-epochs",
        "`nn.exponential_decay_lr` has whole epochs in the exponent, Keras the step.",
        "`nn.ExponentialDecayLR`, the class of the same name, counts steps.",
    ),
    _other(
        schedules.PolynomialDecay,
        "polynomial-end",
        "`nn.polynomial_decay_lr` counts whole epochs, Keras steps.",
        "`nn.PolynomialDecayLR`, the class of the same name, counts steps and asks for the end.",
    ),
    _other(
        schedules.LinearWarmup,
        "warmup-epochs",
        "`nn.warmup_lr` counts whole epochs, Keras' warm-up steps.",
        "`nn.WarmUpLR`, the class of the same name, counts steps.",
    ),
)

"""Rules about the classes of optimizers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dnnbridge import optimizers
from dnnbridge.doctor.optimizer_code import EXPORTED
from dnnbridge.doctor.remedies_of_optimizers import (
    corrected_adamw,
    grown_nadam,
    limited_rate,
    plainly,
    rescaled_velocity,
    shrunk_ftrl,
    started_rmsprop,
    written_adagrad,
    written_rmsprop,
)
from dnnbridge.doctor.rule import Place, Places, Remedy, Rule
from dnnbridge.doctor.subject import Framework, Subject
from dnnbridge.optimizers import AbstractOptimizer

OPTIMIZER = "optimizer"

Fits = Callable[[Any], bool]


def updating(kind: type[AbstractOptimizer], fits: Fits = lambda spec: True) -> Places:
    """Return what finds an optimizer of a class; of several groups, the first that fits."""

    def places(subject: Subject) -> Iterator[Place]:
        found = [each for each in subject.updates(kind) if fits(each)]
        if found:
            yield Place(OPTIMIZER, found[0])

    return places


def _moving(fits: Fits) -> Places:
    """Return what finds an SGD whose rate changes."""

    def places(subject: Subject) -> Iterator[Place]:
        if subject.schedules:
            yield from updating(optimizers.SGD, fits)(subject)

    return places


def _momentum_says(places: Sequence[Place]) -> str:
    mu = places[0].spec.momentum
    count = f" for about {1 / (1 - mu):.0f} steps" if isinstance(mu, float) else " for a while"
    return (
        "Keras keeps v = μ v - rate · g, MindSpore v = μ v + g and moves by rate · v. After the "
        f"rate has changed, Keras goes on with the old one{count} (μ = {mu})."
    )


def _other_velocity(place: Place, to: Framework) -> bool:
    """Whether the rate stands elsewhere; a spec with neither momentum is the same in both."""
    return bool(place.spec.rate_in_velocity == (to == "mindspore"))


def _other_adam(place: Place, to: Framework) -> bool:
    default = 1e-8 if to == "mindspore" else optimizers.Adam().epsilon
    return bool(place.spec.epsilon != default)


def _other_adadelta(place: Place, to: Framework) -> bool:
    cls = optimizers.Adadelta
    default: Any = cls.mindspore() if to == "mindspore" else cls()
    own = place.spec
    names = ("learning_rate", "rho", "epsilon")
    return any(getattr(own, name) != getattr(default, name) for name in names)


RULES: tuple[Rule, ...] = (
    Rule(
        name="momentum-changing-rate",
        stage="update",
        keras=("SGD",),
        mindspore=("SGD", "Momentum"),
        places=_moving(lambda spec: bool(spec.momentum)),
        says=_momentum_says,
        remedy=rescaled_velocity,
        bites=lambda place, to: not place.spec.nesterov and _other_velocity(place, to),
        targets=("mindspore", "tensorflow"),
    ),
    Rule(
        name="nesterov-changing-rate",
        stage="update",
        keras=("SGD",),
        mindspore=("SGD",),
        places=_moving(lambda spec: bool(spec.momentum and spec.nesterov)),
        says=_momentum_says,
        remedy=rescaled_velocity,
        bites=_other_velocity,
        targets=("mindspore", "tensorflow"),
    ),
    Rule(
        name="nesterov-ignored",
        stage="update",
        keras=("SGD",),
        mindspore=("Momentum",),
        places=updating(optimizers.SGD, lambda spec: bool(spec.nesterov and spec.momentum)),
        says=lambda places: (
            "`nn.Momentum(use_nesterov=True)` makes the step of plain momentum "
            f"{places[0].spec.momentum:g} on a CPU."
        ),
        remedy=plainly,
        unseen="`nn.SGD(nesterov=True)`, the class of the same name, is right.",
    ),
    Rule(
        name="dampening-first-step",
        stage="update",
        mindspore=("SGD",),
        places=updating(optimizers.SGD, lambda spec: bool(spec.dampening)),
        says=lambda places: (
            "The first velocity of `nn.SGD` is g, not (1 - dampening) g; this model has dampening "
            f"{places[0].spec.dampening:g}."
        ),
        remedy=lambda place: Remedy("# Keras' SGD has no dampening", EXPORTED),
    ),
    Rule(
        name="adam-epsilon",
        stage="update",
        keras=("Adam",),
        mindspore=("Adam",),
        places=updating(optimizers.Adam),
        says=lambda places: (
            "The default epsilon is 1e-8 in MindSpore and 1e-7 in Keras; this model has "
            f"{places[0].spec.epsilon:g}."
        ),
        remedy=plainly,
        bites=_other_adam,
    ),
    Rule(
        name="amsgrad-experimental",
        stage="update",
        keras=("Adam",),
        mindspore=("experimental.optim.Adam",),
        places=updating(optimizers.Adam, lambda spec: bool(spec.amsgrad)),
        says="`experimental.optim.Adam(amsgrad=True)` is plain Adam.",
        remedy=plainly,
        unseen="`nn.Adam(use_amsgrad=True)` is right.",
    ),
    Rule(
        name="adam-weight-decay-no-correction",
        stage="update",
        keras=("AdamW",),
        mindspore=("AdamWeightDecay",),
        places=updating(optimizers.AdamW),
        says="`nn.AdamWeightDecay` has no bias correction: its first steps are other ones, and its "
        "default decay is 0, not 0.004 as in Keras.",
        remedy=corrected_adamw,
        bites=lambda place, to: bool(place.spec.bias_correction == (to == "mindspore")),
        targets=("mindspore", "tensorflow"),
    ),
    Rule(
        name="rmsprop-body-and-tail",
        stage="update",
        keras=("RMSprop",),
        mindspore=("RMSProp",),
        places=updating(optimizers.RMSprop),
        says="`nn.RMSProp` computes two formulas in one tensor on a CPU, and starts its mean "
        "square at 1, not at 0 as Keras does.",
        remedy=written_rmsprop,
        bites=lambda place, to: not place.spec.centered,
    ),
    Rule(
        name="rmsprop-start",
        stage="update",
        keras=("RMSprop",),
        mindspore=("RMSProp",),
        places=updating(optimizers.RMSprop),
        says="The mean square begins at 1 in MindSpore and at 0 in Keras, so the first steps of "
        "Keras are 3.2 times as large.",
        remedy=started_rmsprop,
        bites=lambda place, to: bool(
            place.spec.initial_mean_square != (1.0 if to == "mindspore" else 0.0)
        ),
        targets=("mindspore", "tensorflow"),
    ),
    Rule(
        name="adagrad-epsilon",
        stage="update",
        keras=("Adagrad",),
        mindspore=("Adagrad",),
        places=updating(optimizers.Adagrad),
        says="`nn.Adagrad` adds 1e-8 under the root, Keras 1e-7.",
        remedy=written_adagrad,
        bites=lambda place, to: bool(
            place.spec.initial_accumulator_value < 1e-3
            and place.spec.epsilon != (1e-8 if to == "mindspore" else 1e-7)
        ),
    ),
    Rule(
        name="adadelta-defaults",
        stage="update",
        keras=("Adadelta",),
        mindspore=("Adadelta",),
        places=updating(optimizers.Adadelta),
        says="Defaults are rate 1, rho 0.9, epsilon 1e-6 in MindSpore; 0.001, 0.95, 1e-7 in Keras.",
        remedy=plainly,
        bites=_other_adadelta,
    ),
    Rule(
        name="adamax-experimental-epsilon",
        stage="update",
        keras=("Adamax",),
        mindspore=("experimental.optim.Adamax",),
        places=updating(optimizers.Adamax),
        says="`experimental.optim.Adamax` adds epsilon before the maximum, Keras after it.",
        remedy=plainly,
        unseen="`nn.AdaMax`, the class of the same name, is right.",
    ),
    Rule(
        name="nadam-decay",
        stage="update",
        keras=("Nadam",),
        mindspore=("experimental.optim.NAdam",),
        places=updating(optimizers.Nadam),
        says="The exponent of Nadam's momentum is t in Keras and 0.004 · t in MindSpore.",
        remedy=grown_nadam,
        bites=lambda place, to: bool(
            place.spec.momentum_decay != (0.004 if to == "mindspore" else 1.0)
        ),
        targets=("mindspore", "tensorflow"),
    ),
    Rule(
        name="ftrl-l1",
        stage="update",
        keras=("Ftrl",),
        mindspore=("FTRL",),
        places=updating(optimizers.Ftrl, lambda spec: bool(spec.l1_regularization_strength)),
        says=lambda places: (
            "`nn.FTRL` has a wrong sign where l1 is above 0; here it is "
            f"{places[0].spec.l1_regularization_strength:g}."
        ),
        remedy=shrunk_ftrl,
    ),
    Rule(
        name="lars-cpu",
        stage="update",
        mindspore=("LARS",),
        places=updating(optimizers.LARS),
        says="`nn.LARS` does not run on a CPU.",
        remedy=lambda place: Remedy("# Keras has no LARS", EXPORTED),
        targets=("mindspore",),
    ),
    Rule(
        name="adafactor-relative-step",
        stage="rate",
        keras=("Adafactor",),
        places=updating(optimizers.Adafactor, lambda spec: not spec.relative_step),
        says="Keras' Adafactor(relative_step=False) still limits the rate to 1 / √t.",
        remedy=limited_rate,
        targets=("tensorflow",),
    ),
)

"""Rules about the classes of optimizers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dnnbridge import optimizers
from dnnbridge.doctor.native_code import lines
from dnnbridge.doctor.optimizer_code import EXPORTED, decayed, in_keras, in_mindspore, present, rate
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


def _rescaled(place: Place) -> Remedy:
    spec = place.spec
    keras, mindspore = in_keras(spec), in_mindspore(spec)
    if spec.rate_in_velocity:
        return Remedy(
            keras,
            lines(
                f"optimizer = {mindspore}",
                "for v in optimizer.accum:  # before a step whose rate is not that of the last",
                "    ops.assign(v, v * old_rate / new_rate)",
            ),
        )
    return Remedy(
        lines(
            f"optimizer = {keras}",
            "for v in optimizer.momentums:  # before a step whose rate is not that of the last",
            "    v.assign(v * new_rate / old_rate)",
        ),
        mindspore,
    )


def _other_velocity(place: Place, to: Framework) -> bool:
    """Whether the rate stands elsewhere; a spec with neither momentum is the same in both."""
    return bool(place.spec.rate_in_velocity == (to == "mindspore"))


def plainly(place: Place) -> Remedy:
    """Write the arguments on both sides."""
    return Remedy(in_keras(place.spec), in_mindspore(place.spec))


def _exported(place: Place) -> Remedy:
    return Remedy(in_keras(place.spec), EXPORTED)


def _other_adam(place: Place, to: Framework) -> bool:
    default = 1e-8 if to == "mindspore" else optimizers.Adam().epsilon
    return bool(place.spec.epsilon != default)


def _adamw(place: Place) -> Remedy:
    spec = place.spec
    decay = spec.weight_decay
    factor = rate(decay.rate) if decay is not None else 0.0
    step = present(spec.learning_rate)
    exempt = decay is not None and bool(decay.exempt)
    return Remedy(
        in_keras(spec, weight_decay=factor),
        f"optimizer = {in_mindspore(spec)}\n{decayed(step, factor, exempt)}",
    )


def _squares(place: Place) -> Remedy:
    """Write RMSprop from its equation: MindSpore's kernel has two, and starts at 1."""
    spec = place.spec
    rho, epsilon, step = spec.rho, spec.epsilon, present(spec.learning_rate)
    if spec.momentum or spec.centered:
        return _exported(place)
    return Remedy(
        in_keras(spec),
        lines(
            "squares = [ms.Parameter(ops.zeros_like(p)) for p in params]  # made once",
            "for p, g, s in zip(params, gradients, squares):",
            f"    ops.assign(s, {rho} * s + {1 - rho!r} * g * g)",
            f"    ops.assign(p, p - {step} * g / ops.sqrt(s + {epsilon!r}))",
        ),
    )


def _started(place: Place) -> Remedy:
    if place.spec.centered:
        return _exported(place)
    return Remedy(
        in_keras(place.spec),
        lines(
            f"optimizer = {in_mindspore(place.spec)}",
            "for s in optimizer.ms:",
            "    s.set_data(ops.zeros_like(s))",
        ),
    )


def _adagrad(place: Place) -> Remedy:
    spec = place.spec
    epsilon, step = spec.epsilon, present(spec.learning_rate)
    start = spec.initial_accumulator_value
    return Remedy(
        in_keras(spec),
        lines(
            f"squares = [ms.Parameter(ops.full_like(p, {start!r})) for p in params]  # made once",
            "for p, g, s in zip(params, gradients, squares):",
            "    ops.assign(s, s + g * g)",
            f"    ops.assign(p, p - {step} * g / ops.sqrt(s + {epsilon!r}))",
        ),
    )


def _other_adadelta(place: Place, to: Framework) -> bool:
    cls = optimizers.Adadelta
    default: Any = cls.mindspore() if to == "mindspore" else cls()
    own = place.spec
    names = ("learning_rate", "rho", "epsilon")
    return any(getattr(own, name) != getattr(default, name) for name in names)


def _nadam(place: Place) -> Remedy:
    spec = place.spec
    return Remedy(
        in_keras(spec),
        "from mindspore.experimental import optim\n"
        f"optim.NAdam(params, {rate(spec.learning_rate)!r}, "
        f"({spec.beta_1}, {spec.beta_2}), eps={spec.epsilon!r}, "
        f"momentum_decay={spec.momentum_decay})",
    )


def _ftrl(place: Place) -> Remedy:
    spec = place.spec
    l1, l2 = spec.l1_regularization_strength, spec.l2_regularization_strength
    step = present(spec.learning_rate)
    return Remedy(
        in_keras(spec),
        lines(
            f"optimizer = {in_mindspore(spec)}",
            "for p, z, n in zip(optimizer.parameters, optimizer.linear, optimizer.moments):",
            "    # after each step",
            f"    divisor = ops.sqrt(n) / {step} + {2 * l2!r}",
            f"    shrunk = (ops.sign(z) * {l1!r} - z) / divisor",
            f"    ops.assign(p, ops.where(ops.abs(z) > {l1!r}, shrunk, ops.zeros_like(p)))",
        ),
    )


def _limited(place: Place) -> Remedy:
    return Remedy(
        "# Keras keeps the rate at most 1 / sqrt(step): use another optimizer, or rates below it",
        EXPORTED,
    )


RULES: tuple[Rule, ...] = (
    Rule(
        name="momentum-changing-rate",
        stage="update",
        keras=("SGD",),
        mindspore=("SGD", "Momentum"),
        places=_moving(lambda spec: bool(spec.momentum)),
        says=_momentum_says,
        remedy=_rescaled,
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
        remedy=_rescaled,
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
        bites=lambda place, to: bool(place.spec.momentum),
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
        remedy=_adamw,
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
        remedy=_squares,
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
        remedy=_started,
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
        remedy=_adagrad,
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
        remedy=_nadam,
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
        remedy=_ftrl,
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
        remedy=_limited,
        targets=("tensorflow",),
    ),
)

"""Rules about weight decay, groups of weights, clipping and gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from dnnbridge import optimizers
from dnnbridge.doctor.native_code import Name, call
from dnnbridge.doctor.optimizer_code import (
    EXPORTED,
    in_keras,
)
from dnnbridge.doctor.rule import Place, Remedy, Rule
from dnnbridge.doctor.rules_of_optimizers import OPTIMIZER
from dnnbridge.doctor.subject import Framework, Subject
from dnnbridge.doctor.weight_decays import (
    exempted,
    named_like_norms,
    names_of_weights,
    norms_decay,
    other_decay,
    written_decay,
)
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.optimizers.gradient_rules import (
    CentralizeGradients,
    ClipByGlobalNorm,
    ClipByNorm,
)
from dnnbridge.optimizers.weight_decay import DecoupledWeightDecay
from dnnbridge.schedules import ConstantSchedule

SQUARING = (
    *(optimizers.Adam, optimizers.AdamW, optimizers.Nadam, optimizers.Lamb),
    *(optimizers.Adagrad, optimizers.Adadelta, optimizers.RMSprop),
)
"""The optimizers that square gradients."""


def _decays(subject: Subject) -> Iterator[Place]:
    """Yield the first optimizer whose weights decay, that of a decoupled decay before others."""
    found = [each for each in subject.updates(AbstractOptimizer) if each.weight_decay is not None]
    found.sort(key=lambda each: not isinstance(each.weight_decay, DecoupledWeightDecay))
    if found:
        yield Place(OPTIMIZER, found[0])


def _groups(subject: Subject) -> Iterator[Place]:
    for each in subject.updates(optimizers.ParameterGroups):
        yield Place(OPTIMIZER, each)


def _exempt_in_groups(place: Place, to: Framework) -> bool:
    """Whether a group leaves out shift and scale, which groups of MindSpore do not."""
    norms = [name for name, norm in names_of_weights(place.subject) if norm]
    decays = [each.weight_decay for _, each in place.spec.groups_of() if each.weight_decay]
    return any(not decay.applies(name) for decay in decays for name in norms)


def _unequal_groups(place: Place) -> Remedy:
    return Remedy(
        'optimizer.exclude_from_weight_decay(var_names=["beta", "gamma"])',
        'params = [{"params": norms, "weight_decay": 0.0}, '
        '{"params": rest, "weight_decay": decay}]',
    )


def _lost_rates(place: Place, to: Framework) -> bool:
    """Whether a group has a list of rates, and another a constant that float32 loses beside 1."""
    schedules = [getattr(each, "learning_rate", None) for _, each in place.spec.groups_of()]
    constant = [each.value for each in schedules if isinstance(each, ConstantSchedule)]
    if len(constant) == len(schedules):
        return False
    kept = [float(np.float32(np.float32(value) + 1) - np.float32(1)) for value in constant]
    return any(abs(a - b) > 1e-3 * abs(b) for a, b in zip(kept, constant, strict=True))


def _listed_rates(place: Place) -> Remedy:
    return Remedy(
        "# Keras has one rate for all weights",
        '{"params": head, "lr": [1e-8] * steps}  # a list for the constant rate too',
    )


def _lamb(subject: Subject) -> Iterator[Place]:
    for each in subject.updates(optimizers.Lamb)[:1]:
        yield Place(OPTIMIZER, each)


def _other_lamb(place: Place, to: Framework) -> bool:
    return to == "mindspore" or bool(place.spec.decay_in_ratio)


def _repeated(subject: Subject) -> Iterator[Place]:
    kinds = (*SQUARING, ClipByNorm, ClipByGlobalNorm)
    if subject.rows and any(subject.updates(kind) for kind in kinds):
        yield Place(f"input {', '.join(subject.rows)}", subject.optimizer)


def _added_up(place: Place) -> Remedy:
    return Remedy(
        "gradients = [tf.convert_to_tensor(g) for g in gradients]  # adds up equal rows",
        "# MindSpore adds them up",
    )


def _clips(subject: Subject) -> Iterator[Place]:
    found = [*subject.updates(ClipByNorm), *subject.updates(ClipByGlobalNorm)]
    if found:
        yield Place(OPTIMIZER, found[0])


def _clips_each(place: Place, to: Framework) -> bool:
    several = sum(len(each.weights) for each in place.subject.layers) != 1
    return isinstance(place.spec, ClipByNorm) and several


def _clip(place: Place) -> Remedy:
    limit = place.spec.limit
    return Remedy(
        call("keras.optimizers.SGD", Name("rate"), clipnorm=limit),
        f"gradients = tuple(ops.clip_by_norm(g, {limit!r}) for g in gradients)",
    )


def _centralizes(subject: Subject) -> Iterator[Place]:
    for each in subject.updates(CentralizeGradients)[:1]:
        yield Place(OPTIMIZER, each)


def _central(place: Place) -> Remedy:
    return Remedy(
        "gradients = [g - keras.ops.mean(g, tuple(range(g.ndim - 1)), True) if g.ndim > 1 else g\n"
        "             for g in gradients]",
        "gradients = tuple(g - g.mean(tuple(range(1, g.ndim)), True) if g.ndim > 1 else g\n"
        "                  for g in gradients)",
    )


def _lamb_says(places: Sequence[Place]) -> str:
    return (
        "In the paper the ratio of norms scales the weight decay too; in Keras it does not. "
        "`nn.Lamb` has no kernel for a CPU."
    )


def _accumulates(subject: Subject) -> Iterator[Place]:
    if subject.schedules:
        for each in subject.updates(optimizers.GradientAccumulation)[:1]:
            yield Place(OPTIMIZER, each)


def _steps(place: Place) -> Any:
    return getattr(place.spec.steps, "steps", place.spec.steps)


RULES: tuple[Rule, ...] = (
    Rule(
        name="weight-decay-coupled",
        stage="update",
        keras=("Adam", "SGD", "RMSprop"),
        mindspore=("Adam", "SGD", "Momentum", "RMSProp"),
        places=_decays,
        says="MindSpore adds decay · weight to the gradient, which then passes through momentum "
        "and moments (coupled). Keras takes rate · decay · weight from the weight (decoupled).",
        remedy=written_decay,
        bites=other_decay,
        targets=("mindspore", "tensorflow"),
    ),
    Rule(
        name="weight-decay-by-name",
        stage="update",
        keras=("Adam", "SGD"),
        mindspore=("Adam", "SGD"),
        places=_decays,
        says="MindSpore leaves out every weight that has beta or gamma in its name; Keras decays "
        "all weights unless told.",
        remedy=exempted,
        bites=named_like_norms,
    ),
    Rule(
        name="bias-decays",
        stage="update",
        keras=("Adam", "SGD"),
        mindspore=("Adam", "SGD"),
        places=_decays,
        says="Keras decays every weight, shift and scale of a normalisation too; MindSpore leaves "
        "those two out.",
        remedy=exempted,
        bites=norms_decay,
    ),
    Rule(
        name="weight-decay-in-groups",
        stage="update",
        mindspore=("Adam", "SGD"),
        places=_groups,
        says="Shift and scale of a normalisation do not decay where an optimizer of MindSpore is "
        "given a list of weights, and do decay where it is given groups.",
        remedy=_unequal_groups,
        bites=_exempt_in_groups,
    ),
    Rule(
        name="rate-plus-one",
        stage="rate",
        mindspore=("SGD",),
        places=_groups,
        says="Where one group of a MindSpore optimizer has a list of rates, the constant rates of "
        "the others pass through rate + 1 - 1 in float32, and small ones are lost.",
        remedy=_listed_rates,
        bites=_lost_rates,
    ),
    Rule(
        name="lamb-weight-decay",
        stage="update",
        keras=("Lamb",),
        mindspore=("Lamb",),
        places=_lamb,
        says=_lamb_says,
        remedy=lambda place: Remedy(in_keras(place.spec), EXPORTED),
        bites=_other_lamb,
        targets=("mindspore", "tensorflow"),
    ),
    Rule(
        name="indexed-slices",
        stage="gradient",
        keras=("Embedding", "Adagrad", "Adam", "RMSprop"),
        places=_repeated,
        says="Where a batch has a word twice, `fit` of Keras does not add up its two gradients "
        "before it squares or clips them. So its steps differ from the equation.",
        remedy=_added_up,
        targets=("tensorflow",),
    ),
    Rule(
        name="clip-norm",
        stage="gradient",
        keras=("Optimizer(clipnorm=…)",),
        mindspore=("ops.clip_by_norm",),
        places=_clips,
        says="`ops.clip_by_norm` of a list takes the norm of all gradients together, `clipnorm` of "
        "Keras of each one alone.",
        remedy=_clip,
        bites=_clips_each,
    ),
    Rule(
        name="gradient-centralization",
        stage="gradient",
        mindspore=("SGD",),
        places=_centralizes,
        says="`grad_centralization` of MindSpore's groups has no kernel for a CPU.",
        remedy=_central,
    ),
    Rule(
        name="accumulation-schedule",
        stage="rate",
        keras=("Optimizer(gradient_accumulation_steps=…)",),
        places=_accumulates,
        says="With `gradient_accumulation_steps` Keras' schedule counts batches, not updates.",
        remedy=lambda place: Remedy(
            f"# in the schedule: step = step // {_steps(place)!r}", "# MindSpore counts updates"
        ),
        targets=("tensorflow",),
    ),
)

"""Which weights decay, in which form, and the code that both sides need for it."""

from __future__ import annotations

from dnnbridge import layers, optimizers
from dnnbridge.doctor.native_code import lines
from dnnbridge.doctor.optimizer_code import (
    EXPORTED,
    MINDSPORE,
    decayed,
    in_keras,
    in_mindspore,
    present,
    rate,
)
from dnnbridge.doctor.rule import Place, Remedy
from dnnbridge.doctor.subject import Framework, Subject
from dnnbridge.optimizers import AbstractOptimizer
from dnnbridge.optimizers.weight_decay import CoupledWeightDecay, DecoupledWeightDecay
from dnnbridge.schedules import ConstantSchedule

NORMALIZATIONS = (layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization)


def is_plain(spec: AbstractOptimizer) -> bool:
    """Whether the decay of an optimizer is the same in both forms: SGD without momentum."""
    return isinstance(spec, optimizers.SGD) and spec.momentum == 0.0


def other_decay(place: Place, to: Framework) -> bool:
    """Whether a decay has the form that the other framework has not."""
    spec, decay = place.spec, place.spec.weight_decay
    own = (optimizers.AdamW, optimizers.Lamb, optimizers.LARS)
    if isinstance(spec, own) or is_plain(spec) or decay.rate == ConstantSchedule(0.0):
        return False
    return isinstance(decay, DecoupledWeightDecay) == (to == "mindspore")


def written_decay(place: Place) -> Remedy:
    """Return an optimizer with its decay in the form of the model."""
    spec, decay = place.spec, place.spec.weight_decay
    factor, step = rate(decay.rate), present(getattr(spec, "learning_rate", 0.0))
    bare = spec.replace(weight_decay=None)
    known = type(spec) in MINDSPORE
    mindspore = in_mindspore(bare) if known else EXPORTED
    if isinstance(decay, CoupledWeightDecay):
        plain = mindspore.removesuffix(")") + f", weight_decay={factor!r})" if known else mindspore
        return Remedy(
            lines(
                f"optimizer = {in_keras(bare)}",
                f"gradients = [g + {factor!r} * p for g, p in zip(gradients, weights)]",
            ),
            plain,
        )
    return Remedy(
        in_keras(bare, weight_decay=factor),
        f"optimizer = {mindspore}\n{decayed(step, factor, bool(decay.exempt))}",
    )


def names_of_weights(subject: Subject) -> list[tuple[str, bool]]:
    """Return the trained weights, and whether each is shift or scale of a normalisation."""
    return [
        (f"{each.path}/{name}", isinstance(each.layer, NORMALIZATIONS))
        for each in subject.layers
        for name in each.weights
        if not name.startswith("moving_")
    ]


def decayed_there(name: str) -> bool:
    """Whether MindSpore decays a weight of this name."""
    return "beta" not in name and "gamma" not in name


def named_like_norms(place: Place, to: Framework) -> bool:
    """Whether a weight that is no shift or scale has beta or gamma in its name, and decays."""
    decay = place.spec.weight_decay
    return any(
        not norm and decay.applies(name) and not decayed_there(name)
        for name, norm in names_of_weights(place.subject)
    )


def norms_decay(place: Place, to: Framework) -> bool:
    decay = place.spec.weight_decay
    norms = [name for name, norm in names_of_weights(place.subject) if norm]
    if to == "mindspore":
        return any(decay.applies(name) for name in norms)
    return any(not decay.applies(name) for name in norms)


def exempted(place: Place) -> Remedy:
    """Say which weights do not decay, on both sides."""
    if other_decay(place, "mindspore"):
        return written_decay(place)
    factor = rate(place.spec.weight_decay.rate)
    norms = 'any(word in p.name for word in ("beta", "gamma"))'
    if norms_decay(place, "mindspore") or named_like_norms(place, "mindspore"):
        return Remedy(
            in_keras(place.spec.replace(weight_decay=None), weight_decay=factor),
            f'params = [{{"params": params, "weight_decay": {factor!r}}}]  # groups leave out none',
        )
    return Remedy(
        'optimizer.exclude_from_weight_decay(var_names=["beta", "gamma"])',
        lines(
            f"kept = [p for p in params if {norms}]",
            f"rest = [p for p in params if not {norms}]",
            'params = [{"params": kept, "weight_decay": 0.0}, '
            f'{{"params": rest, "weight_decay": {factor!r}}}]',
        ),
    )

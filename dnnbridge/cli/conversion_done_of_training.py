"""What a conversion did about the differences of losses and optimizers, by their rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dnnbridge.cli.conversion_done import Done, Words, said, to_mindspore
from dnnbridge.cli.conversion_facts import Facts, listed
from dnnbridge.doctor.rule import Place
from dnnbridge.optimizers.gradient_rules import ClipByNorm
from dnnbridge.optimizers.weight_decay import DecoupledWeightDecay

Places = Sequence[Place]

WRITTEN = "No loss of MindSpore is used: the class `Loss` of the file has the equation."


def _clip_order(facts: Facts, places: Places) -> str:
    if "softmax" not in facts.source:
        return WRITTEN
    return f"{WRITTEN} After a softmax it takes the logits, which is the same without the clipping."


def written(facts: Facts, native: str = "") -> str:
    """Say which optimizer the file has."""
    if native and f"{native}(" in facts.source:
        return f"The file has `{native}` with the arguments of this model."
    if facts.to_mindspore:
        return "No optimizer of MindSpore is used: the class `Optimizer` has the updates."
    return "The file has the optimizer of Keras."


def _optimizer(native: str = "", before: str = "") -> Done:
    """Return what is said where the file has MindSpore's class, or the updates."""
    return Done(to_mindspore, lambda facts, places: before + written(facts, native))


def _momentum(facts: Facts, places: Places) -> str:
    inside = places[0].spec.rate_in_velocity
    form = "Keras' form (the rate inside)" if inside else "MindSpore's form (the rate outside)"
    return f"This model has {form}. {written(facts, 'nn.SGD')}"


def _adam(facts: Facts, places: Places) -> str:
    line = facts.line("eps=")
    stated = line and "nn.Adam(" in facts.source
    return f"It is stated: {line}." if stated else written(facts)


def _decay(facts: Facts, places: Places) -> str:
    decay: Any = places[0].spec.weight_decay
    kind = "decoupled" if isinstance(decay, DecoupledWeightDecay) else "coupled"
    rate = getattr(decay.rate, "value", decay.rate)
    return f"This model is {kind}, with {rate}. {written(facts)}"


def _decaying(facts: Facts, places: Places) -> str:
    exempt = listed([str(each) for each in places[0].spec.weight_decay.exempt]) or "nothing"
    return f"The file leaves out what the model does: {exempt}."


def _lamb(facts: Facts, places: Places) -> str:
    return f"This model scales a decay of {places[0].spec.decay_in_ratio:g}. {written(facts)}"


def _words(facts: Facts, places: Places) -> str:
    if facts.format == "keras":
        return "Nothing: `fit` of Keras does so after the conversion too."
    return "`train` of the file adds them up, so its steps are not those of `fit`."


def _clips(facts: Facts, places: Places) -> str:
    rule = places[0].spec
    form = "each gradient alone" if isinstance(rule, ClipByNorm) else "all together"
    return f"This model clips {form} at {rule.limit:g}. {written(facts)}"


def _float32(facts: Facts, places: Places) -> str:
    if facts.to_mindspore:
        return "`learning_rate` of the file computes it in Python's floats."
    return "Nothing: Keras computes the rate."


def _to_keras(words: str) -> Done:
    return Done(lambda facts: facts.to_keras, said(words))


def _loss(words: str = WRITTEN) -> Done:
    return Done(to_mindspore, said(words))


def _has_decay(place: Place) -> bool:
    return bool(place.spec.weight_decay is not None or place.spec.decay_in_ratio)


SCHEDULE: Words = said(
    "No schedule of MindSpore is used: `learning_rate` of the file has the equation."
)

DONE_OF_TRAINING: Mapping[str, Done] = {
    "reduction-sum": _loss(f"This model has Keras' form. {WRITTEN}"),
    "mse-broadcast": _loss(
        f"{WRITTEN} Give it labels with the shape of the predictions: `train` names it."
    ),
    "sparse-mean-infinite": _loss(),
    "bad-label-zero": _loss("Nothing in the file: check the labels. `Run.fit` does."),
    "bce-clipping": _loss(f"{WRITTEN} It clips as in Keras."),
    "bce-one": _loss(),
    "probabilities-clip-order": Done(to_mindspore, _clip_order),
    "kl-mean": _loss(),
    "cosine-offset": _loss(),
    "momentum-changing-rate": Done(to_mindspore, _momentum),
    "nesterov-ignored": _optimizer("nn.SGD", "`nn.Momentum` is not used. "),
    "dampening-first-step": _optimizer("nn.SGD"),
    "adam-epsilon": Done(to_mindspore, _adam),
    "amsgrad-experimental": _optimizer("nn.Adam"),
    "adam-weight-decay-no-correction": _optimizer(),
    "weight-decay-coupled": Done(to_mindspore, _decay),
    "weight-decay-by-name": Done(to_mindspore, _decaying),
    "rmsprop-body-and-tail": _optimizer("nn.RMSProp"),
    "adagrad-epsilon": _optimizer("nn.Adagrad"),
    "adadelta-defaults": _optimizer("nn.Adadelta"),
    "adamax-experimental-epsilon": _optimizer("nn.AdaMax"),
    "nadam-decay": _optimizer("nn.NAdam"),
    "ftrl-l1": _optimizer("nn.FTRL"),
    "lamb-weight-decay": Done(lambda facts: True, _lamb, _has_decay),
    "lars-cpu": _optimizer("nn.LARS"),
    "adafactor-relative-step": _to_keras(
        "Nothing: Keras computes it. See the check of the losses."
    ),
    "indexed-slices": Done(lambda facts: facts.to_keras or facts.from_keras, _words),
    "clip-norm": Done(to_mindspore, _clips),
    "accumulation-schedule": _to_keras("The schedule was written so that it gives the same rates."),
    "float32-schedule": Done(lambda facts: True, _float32, shown=2),
    "piecewise-boundary": Done(to_mindspore, SCHEDULE),
    "exponential-epochs": Done(to_mindspore, SCHEDULE),
    "cosine-floor": Done(to_mindspore, SCHEDULE),
    "polynomial-end": Done(to_mindspore, SCHEDULE),
    "warmup-epochs": Done(to_mindspore, SCHEDULE),
}
"""What the report of a file that trains says too, by the name of a rule."""

"""Which differences of MindSpore and Keras concern the optimizer of a model, and what was done."""

from __future__ import annotations

from dnnbridge import optimizers, schedules
from dnnbridge.cli.conversion_facts import Concern, Facts, Rule, Rules, listed
from dnnbridge.optimizers.gradient_rules import ClipByGlobalNorm, ClipByNorm
from dnnbridge.optimizers.weight_decay import CoupledWeightDecay, DecoupledWeightDecay

OPTIMIZER = "optimizer"

SQUARING = (
    *(optimizers.Adam, optimizers.AdamW, optimizers.Nadam, optimizers.Lamb),
    *(optimizers.Adagrad, optimizers.Adadelta, optimizers.RMSprop),
)
"""The optimizers that square gradients."""


def _written(facts: Facts, native: str = "") -> str:
    """Say which optimizer the file has."""
    if native and f"{native}(" in facts.source:
        return f"The file has `{native}` with the arguments of this model."
    if facts.to_mindspore:
        return "No optimizer of MindSpore is used: the class `Optimizer` has the updates."
    return "The file has the optimizer of Keras."


def _momentum_rate(facts: Facts) -> Concern | None:
    found = [each for each in facts.updates(optimizers.SGD) if each.momentum]
    if not found or not facts.schedules or not facts.to_mindspore:
        return None
    mu, inside = found[0].momentum, found[0].rate_in_velocity
    count = f" for about {1 / (1 - mu):.0f} steps" if isinstance(mu, float) else " for a while"
    says = (
        "Keras keeps v = μ v - rate · g, MindSpore v = μ v + g and moves by rate · v. After the "
        f"rate has changed, Keras goes on with the old one{count} (μ = {mu})."
    )
    form = "Keras' form (the rate inside)" if inside else "MindSpore's form (the rate outside)"
    return Concern(OPTIMIZER, says, f"This model has {form}. {_written(facts, 'nn.SGD')}")


def _nesterov(facts: Facts) -> Concern | None:
    found = [each for each in facts.updates(optimizers.SGD) if each.nesterov and each.momentum]
    if not found or not facts.to_mindspore:
        return None
    says = (
        f"`nn.Momentum(use_nesterov=True)` makes the step of plain momentum {found[0].momentum:g} "
        "on a CPU."
    )
    return Concern(OPTIMIZER, says, "`nn.Momentum` is not used. " + _written(facts, "nn.SGD"))


def _dampening(facts: Facts) -> Concern | None:
    found = [each for each in facts.updates(optimizers.SGD) if each.dampening]
    if not found or not facts.to_mindspore:
        return None
    says = (
        "The first velocity of `nn.SGD` is g, not (1 - dampening) g; this model has dampening "
        f"{found[0].dampening:g}."
    )
    return Concern(OPTIMIZER, says, _written(facts, "nn.SGD"))


def _adam_epsilon(facts: Facts) -> Concern | None:
    found = facts.updates(optimizers.Adam)
    if not found or not facts.to_mindspore:
        return None
    says = (
        "The default epsilon is 1e-8 in MindSpore and 1e-7 in Keras; this model has "
        f"{found[0].epsilon:g}."
    )
    line = facts.line("eps=")
    done = f"It is stated: {line}." if line and "nn.Adam(" in facts.source else _written(facts)
    return Concern(OPTIMIZER, says, done)


def _amsgrad(facts: Facts) -> Concern | None:
    found = [each for each in facts.updates(optimizers.Adam) if each.amsgrad]
    if not found or not facts.to_mindspore:
        return None
    says = "`experimental.optim.Adam(amsgrad=True)` is plain Adam."
    return Concern(OPTIMIZER, says, _written(facts, "nn.Adam"))


def _adamw(facts: Facts) -> Concern | None:
    if not facts.updates(optimizers.AdamW) or not facts.to_mindspore:
        return None
    says = (
        "`nn.AdamWeightDecay` has no bias correction: its first steps are other ones, and its "
        "default decay is 0, not 0.004 as in Keras."
    )
    return Concern(OPTIMIZER, says, _written(facts))


def _decay(facts: Facts) -> Concern | None:
    found = facts.updates(DecoupledWeightDecay)
    coupled = facts.updates(CoupledWeightDecay)
    if not (found or coupled) or not facts.to_mindspore:
        return None
    says = (
        "MindSpore adds decay · weight to the gradient, which then passes through momentum and "
        "moments (coupled). Keras takes rate · decay · weight from the weight (decoupled)."
    )
    kind, each = ("decoupled", found[0]) if found else ("coupled", coupled[0])
    rate = getattr(each.rate, "value", each.rate)
    return Concern(OPTIMIZER, says, f"This model is {kind}, with {rate}. {_written(facts)}")


def _decaying(facts: Facts) -> Concern | None:
    found = [*facts.updates(DecoupledWeightDecay), *facts.updates(CoupledWeightDecay)]
    if not found or not facts.to_mindspore:
        return None
    exempt = listed([str(each) for each in found[0].exempt]) or "nothing"
    says = (
        "MindSpore leaves out every weight that has beta or gamma in its name; Keras decays all "
        "weights unless told."
    )
    return Concern(OPTIMIZER, says, f"The file leaves out what the model does: {exempt}.")


def _named(kind: type[optimizers.AbstractOptimizer], native: str, says: str) -> Rule:
    """Return the rule for an optimizer whose native class computes something else."""

    def rule(facts: Facts) -> Concern | None:
        if not facts.updates(kind) or not facts.to_mindspore:
            return None
        return Concern(OPTIMIZER, says, _written(facts, native))

    return rule


def _ftrl(facts: Facts) -> Concern | None:
    found = [e for e in facts.updates(optimizers.Ftrl) if e.l1_regularization_strength]
    if not found or not facts.to_mindspore:
        return None
    says = (
        "`nn.FTRL` has a wrong sign where l1 is above 0; here it is "
        f"{found[0].l1_regularization_strength:g}."
    )
    return Concern(OPTIMIZER, says, _written(facts, "nn.FTRL"))


def _lamb(facts: Facts) -> Concern | None:
    found = facts.updates(optimizers.Lamb)
    if not found or not (facts.updates(DecoupledWeightDecay) or found[0].decay_in_ratio):
        return None
    says = "In the paper the ratio of norms scales the weight decay too; in Keras it does not."
    done = f"This model scales a decay of {found[0].decay_in_ratio:g}. {_written(facts)}"
    return Concern(OPTIMIZER, says, done)


def _relative_step(facts: Facts) -> Concern | None:
    found = [each for each in facts.updates(optimizers.Adafactor) if not each.relative_step]
    if not found or not facts.to_keras:
        return None
    says = "Keras' Adafactor(relative_step=False) still limits the rate to 1 / √t."
    return Concern(OPTIMIZER, says, "Nothing: Keras computes it. See the check of the losses.")


def _repeated_words(facts: Facts) -> Concern | None:
    rows = facts.experiment.program().rows
    kinds = (*SQUARING, ClipByNorm, ClipByGlobalNorm)
    meets = facts.to_keras or facts.from_keras
    if not (meets and rows and any(facts.updates(kind) for kind in kinds)):
        return None
    says = (
        "Where a batch has a word twice, `fit` of Keras does not add up its two gradients before "
        "it squares or clips them. So its steps differ from the equation."
    )
    if facts.format == "keras":
        done = "Nothing: `fit` of Keras does so after the conversion too."
    else:
        done = "`train` of the file adds them up, so its steps are not those of `fit`."
    return Concern(f"input {listed([name.partition(':')[2] for name in rows])}", says, done)


def _clips(facts: Facts) -> Concern | None:
    alone, together = (facts.updates(kind) for kind in (ClipByNorm, ClipByGlobalNorm))
    if not (alone or together) or not facts.to_mindspore:
        return None
    limit, form = (alone or together)[0].limit, "each gradient alone" if alone else "all together"
    says = (
        "`ops.clip_by_norm` of a list takes the norm of all gradients together, `clipnorm` of "
        "Keras of each one alone."
    )
    return Concern(OPTIMIZER, says, f"This model clips {form} at {limit:g}. {_written(facts)}")


def _accumulation(facts: Facts) -> Concern | None:
    accumulates = facts.updates(optimizers.GradientAccumulation)
    if not accumulates or not facts.schedules or not facts.to_keras:
        return None
    says = "With `gradient_accumulation_steps` Keras' schedule counts batches, not updates."
    return Concern(OPTIMIZER, says, "The schedule was written so that it gives the same rates.")


def _float32(facts: Facts) -> Concern | None:
    if not facts.schedules:
        return None
    says = "Both frameworks evaluate schedules in float32, so a rate loses digits at high steps."
    done = (
        "`learning_rate` of the file computes it in Python's floats."
        if facts.to_mindspore
        else "Nothing: Keras computes the rate."
    )
    return Concern(listed([repr(each) for each in facts.schedules], 2), says, done)


def _schedule(kind: type[schedules.AbstractSchedule], says: str) -> Rule:
    """Return the rule for a schedule that counts otherwise in MindSpore."""

    def rule(facts: Facts) -> Concern | None:
        found = facts.updates(kind)
        if not found or not facts.to_mindspore:
            return None
        done = "No schedule of MindSpore is used: `learning_rate` of the file has the equation."
        return Concern(repr(found[0]), says, done)

    return rule


RULES: Rules = {
    "momentum-changing-rate": _momentum_rate,
    "nesterov-ignored": _nesterov,
    "dampening-first-step": _dampening,
    "adam-epsilon": _adam_epsilon,
    "amsgrad-experimental": _amsgrad,
    "adam-weight-decay-no-correction": _adamw,
    "weight-decay-coupled": _decay,
    "weight-decay-by-name": _decaying,
    "rmsprop-body-and-tail": _named(
        optimizers.RMSprop,
        "nn.RMSProp",
        "`nn.RMSProp` computes two formulas in one tensor on a CPU, and starts its mean square at "
        "1, not at 0 as Keras does.",
    ),
    "adagrad-epsilon": _named(
        optimizers.Adagrad, "nn.Adagrad", "`nn.Adagrad` adds 1e-8 under the root, Keras 1e-7."
    ),
    "adadelta-defaults": _named(
        optimizers.Adadelta,
        "nn.Adadelta",
        "Defaults are rate 1, rho 0.9, epsilon 1e-6 in MindSpore; 0.001, 0.95, 1e-7 in Keras.",
    ),
    "adamax-experimental-epsilon": _named(
        optimizers.Adamax,
        "nn.AdaMax",
        "`experimental.optim.Adamax` adds epsilon before the maximum, Keras after it.",
    ),
    "nadam-decay": _named(
        optimizers.Nadam,
        "nn.NAdam",
        "The exponent of Nadam's momentum is t in Keras and 0.004 · t in MindSpore.",
    ),
    "ftrl-l1": _ftrl,
    "lamb-weight-decay": _lamb,
    "lars-cpu": _named(optimizers.LARS, "nn.LARS", "`nn.LARS` does not run on a CPU."),
    "adafactor-relative-step": _relative_step,
    "indexed-slices": _repeated_words,
    "clip-norm": _clips,
    "accumulation-schedule": _accumulation,
    "float32-schedule": _float32,
    "piecewise-boundary": _schedule(
        schedules.PiecewiseConstant,
        "At a milestone MindSpore takes the new rate; Keras keeps the old one for this step too.",
    ),
    "exponential-epochs": _schedule(
        schedules.ExponentialDecay,
        "`nn.exponential_decay_lr` has whole epochs in the exponent, Keras the step.",
    ),
    "cosine-floor": _schedule(
        schedules.CosineDecay,
        "The floor of a cosine decay is a rate in MindSpore, a fraction of the first in Keras.",
    ),
    "polynomial-end": _schedule(
        schedules.PolynomialDecay, "`nn.polynomial_decay_lr` counts whole epochs, Keras steps."
    ),
    "warmup-epochs": _schedule(
        schedules.LinearWarmup, "`nn.warmup_lr` counts whole epochs, Keras' warm-up steps."
    ),
}
"""What tells whether a row of the page concerns a model, by the id of the row."""

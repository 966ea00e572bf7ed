"""The code that optimizers need on both sides to compute the same."""

from __future__ import annotations

from dnnbridge.doctor.native_code import lines
from dnnbridge.doctor.optimizer_code import EXPORTED, decayed, in_keras, in_mindspore, present, rate
from dnnbridge.doctor.rule import Place, Remedy


def rescaled_velocity(place: Place) -> Remedy:
    """Return SGD with momentum, and what to do with its velocities when the rate changes."""
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


def plainly(place: Place) -> Remedy:
    """Write the arguments on both sides."""
    return Remedy(in_keras(place.spec), in_mindspore(place.spec))


def exported(place: Place) -> Remedy:
    """Return the optimizer of Keras, and the written updates for MindSpore."""
    return Remedy(in_keras(place.spec), EXPORTED)


def corrected_adamw(place: Place) -> Remedy:
    """Return AdamW, and Adam with a decay of its own."""
    spec = place.spec
    decay = spec.weight_decay
    factor = rate(decay.rate) if decay is not None else 0.0
    step = present(spec.learning_rate)
    exempt = decay is not None and bool(decay.exempt)
    return Remedy(
        in_keras(spec, weight_decay=factor),
        f"optimizer = {in_mindspore(spec)}\n{decayed(step, factor, exempt)}",
    )


def written_rmsprop(place: Place) -> Remedy:
    """Write RMSprop from its equation: MindSpore's kernel has two, and starts at 1."""
    spec = place.spec
    rho, epsilon, step = spec.rho, spec.epsilon, present(spec.learning_rate)
    if spec.momentum or spec.centered:
        return exported(place)
    return Remedy(
        in_keras(spec),
        lines(
            "squares = [ms.Parameter(ops.zeros_like(p)) for p in params]  # made once",
            "for p, g, s in zip(params, gradients, squares):",
            f"    ops.assign(s, {rho} * s + {1 - rho!r} * g * g)",
            f"    ops.assign(p, p - {step} * g / ops.sqrt(s + {epsilon!r}))",
        ),
    )


def started_rmsprop(place: Place) -> Remedy:
    """Return RMSprop with mean squares that start at 0."""
    if place.spec.centered:
        return exported(place)
    return Remedy(
        in_keras(place.spec),
        lines(
            f"optimizer = {in_mindspore(place.spec)}",
            "for s in optimizer.ms:",
            "    s.set_data(ops.zeros_like(s))",
        ),
    )


def written_adagrad(place: Place) -> Remedy:
    """Write Adagrad from its equation: MindSpore's has an epsilon of its own."""
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


def grown_nadam(place: Place) -> Remedy:
    """Return Nadam with the growth of its momentum."""
    spec = place.spec
    return Remedy(
        in_keras(spec),
        "from mindspore.experimental import optim\n"
        f"optim.NAdam(params, {rate(spec.learning_rate)!r}, "
        f"({spec.beta_1}, {spec.beta_2}), eps={spec.epsilon!r}, "
        f"momentum_decay={spec.momentum_decay})",
    )


def shrunk_ftrl(place: Place) -> Remedy:
    """Return FTRL, and the weights of its equation after each step."""
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


def limited_rate(place: Place) -> Remedy:
    """Say that Keras' Adafactor limits its rate."""
    return Remedy(
        "# Keras keeps the rate at most 1 / sqrt(step): use another optimizer, or rates below it",
        EXPORTED,
    )

"""Sabotages of optimizers, weight decay, rules for gradients, and host scalars."""

from __future__ import annotations

import numpy as np

from dnnbridge import ops, optimizers
from dnnbridge.optimizers import gradient_rules, weight_decay
from dnnbridge.weights import constraints
from sabotage import executables
from sabotage.executables import feeding, of_first_step, of_step_before
from sabotage.operations import value
from sabotage.rewriting import updated, written
from sabotage.row import Sabotage


def _with(**fields):
    return updated(lambda optimizer: optimizer.replace(**fields))


def _spec(name, cls, rewrite, *caught):
    return Sabotage(name, caught, specs={cls: rewrite})


def _in_two_parts(spec, p, g, *rest):
    """Adds epsilon outside the root in the vector part of a kernel, and inside it in the rest."""
    made = []
    for inside in (False, True):
        slots = dict(zip(spec.slots(p.shape), rest, strict=False))
        scalars = dict(zip(spec.scalars(0), rest[len(slots) :], strict=True))
        moved, new = spec.replace(epsilon_inside=inside).update(p, g, slots, scalars)
        made.append([moved, *new.values()])
    size = p.type.size()
    body = p.builder.constant((np.arange(size) < size // 8 * 8).reshape(p.shape))
    return [ops.where(body, made[0][0], made[1][0]), *made[0][1:]]


def _half(gradients):
    return gradients[: len(gradients) // 2]


EQUATIONS = [
    _spec("Nesterov ignored", optimizers.SGD, _with(nesterov=False), "optimizer/sgd-nesterov"),
    _spec(
        "Nesterov in Adam ignored",
        optimizers.Adam,
        _with(nesterov=False),
        "optimizer/adam-nesterov",
    ),
    _spec("AMSGrad ignored", optimizers.Adam, _with(amsgrad=False), "optimizer/adam-amsgrad"),
    _spec(
        "the rate inside the momentum",
        optimizers.SGD,
        _with(rate_in_velocity=True),
        "optimizer/sgd-momentum",
    ),
    _spec(
        "the rate outside the momentum",
        optimizers.SGD,
        _with(rate_in_velocity=False),
        "optimizer/sgd-keras",
    ),
    _spec("dampening ignored", optimizers.SGD, _with(dampening=0.0), "optimizer/sgd-dampening"),
    _spec(
        "RMSprop's epsilon beside the root",
        optimizers.RMSprop,
        _with(epsilon_inside=False),
        "optimizer/rmsprop",
    ),
    _spec(
        "RMSprop not centred",
        optimizers.RMSprop,
        _with(centered=False),
        "optimizer/rmsprop-centered",
    ),
    _spec(
        "MindSpore's RMSprop: body and tail",
        optimizers.RMSprop,
        written(_in_two_parts),
        "optimizer/rmsprop",
    ),
    _spec(
        "Adagrad without epsilon",
        optimizers.Adagrad,
        _with(epsilon=0.0),
        "optimizer/adagrad-outside",
    ),
    Sabotage(
        "Adam's epsilon under the root",
        ("optimizer/adam",),
        rules={ops.Sqrt: value(lambda y, x: np.sqrt(x + 1e-7))},
    ),
    _spec(
        "decay coupled",
        weight_decay.DecoupledWeightDecay,
        written(lambda decay, p, g, factor: (p, g + factor * p)),
        "optimizer/adamw",
        "training/train-loss_scale",
    ),
    _spec(
        "decay decoupled",
        weight_decay.CoupledWeightDecay,
        written(lambda decay, p, g, factor: (p - factor * p, g)),
        "optimizer/decay-coupled",
    ),
    _spec(
        "clip ignored",
        gradient_rules.ClipByGlobalNorm,
        written(lambda rule, *given: _half(given)),
        "training/train-clip-global_norm",
    ),
    _spec(
        "clip of each array by itself",
        gradient_rules.ClipByGlobalNorm,
        written(lambda rule, *given: gradient_rules.ClipByNorm(rule.limit).emit(_half(given), ())),
        "training/train-clip-global_norm",
    ),
    _spec(
        "clip of all arrays together",
        gradient_rules.ClipByNorm,
        written(
            lambda rule, *given: gradient_rules.ClipByGlobalNorm(rule.limit).emit(_half(given), ())
        ),
        "training/train-clip-norm",
    ),
    _spec(
        "constraint left out",
        constraints.MaxNorm,
        written(lambda rule, p: [p]),
        "training/train-regularised",
    ),
]

HOST = [
    Sabotage(
        "the rate of the step before",
        ("optimizer/sgd", "schedule/exponential"),
        wrap=feeding("scalar:", of_step_before),
    ),
    Sabotage(
        "host scalars of the first step for a whole call",
        ("behaviour/steps per call", "optimizer/adam"),
        wrap=feeding("scalar:", of_first_step),
    ),
    Sabotage(
        "host scalars rounded to half precision",
        ("schedule/exponential", "optimizer/adam"),
        wrap=feeding("scalar:", np.float16),
    ),
    Sabotage(
        "a rate off by its last bit",
        ("schedule/exponential",),
        wrap=feeding("scalar:", lambda a: np.nextafter(a.astype(np.float32), np.float32(9))),
    ),
    Sabotage(
        "Adam's epsilon after the correction",
        ("optimizer/adam",),
        wrap=executables.EpsilonAfterCorrection,
    ),
    Sabotage(
        "bias correction in float32", ("optimizer/adam",), wrap=executables.CorrectionInFloat32
    ),
    Sabotage(
        "the first step dampened", ("optimizer/sgd-dampening",), wrap=executables.FirstStepDampened
    ),
    Sabotage(
        "host scalars read by position",
        ("optimizer/sgd-dampening",),
        wrap=executables.ScalarsByPosition,
    ),
    Sabotage(
        "accumulation that updates every step",
        ("optimizer/accumulation", "training/train-accumulated"),
        wrap=feeding("scalar:apply", np.ones_like),
    ),
]

UPDATES = [*EQUATIONS, *HOST]

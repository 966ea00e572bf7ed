"""The table of optimizers: the `mindspore.nn` optimizer that makes the same updates, if sound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.experiment import Experiment
from dnnbridge.formats.mindspore.writing.placement import Placement
from dnnbridge.formats.mindspore.writing.updates import trained_weights
from dnnbridge.formats.source.expressions import Code, call
from dnnbridge.graph import Call
from dnnbridge.optimizers import SGD, AbstractOptimizer, Adam
from dnnbridge.program.program import Program
from dnnbridge.weights.constraints import AbstractConstraint

REASON = {
    "AdamW": "`nn.AdamWeightDecay` has no bias correction",
    "RMSprop": "`nn.RMSProp` computes two different formulas on a CPU",
    "Ftrl": "`nn.FTRL` has a wrong sign where l1 is not 0",
    "Adagrad": "`nn.Adagrad` has no epsilon",
    "Lamb": "`nn.Lamb` does not run on a CPU",
    "LARS": "`nn.LARS` does not run on a CPU",
}
"""Why the native optimizer of this name is not used."""


@dataclass(frozen=True)
class NativeOptimizer:
    """An optimizer of MindSpore.

    Attributes:
        source: what makes it, from `net` and a learning rate.
        arrays: its arrays besides global_step and learning_rate, by their names there.
    """

    source: Code
    arrays: Mapping[str, Array]


Rule = Callable[[Any], tuple[Code, Mapping[str, str]] | None]


def native_optimizer(
    experiment: Experiment,
    optimizer: AbstractOptimizer,
    program: Program,
    placements: Mapping[str, Placement],
    state: Mapping[str, Array],
    step: int,
) -> NativeOptimizer | None:
    """Return the native optimizer of an experiment; None if its updates are written out.

    Args:
        experiment: the experiment.
        optimizer: its present optimizer.
        program: its program.
        placements: where the weights are.
        state: the arrays of the run.
        step: how many updates were made.
    """
    rule = RULES.get(type(optimizer))
    calls = (n.op for n in program.functions["train"].graph.nodes if isinstance(n.op, Call))
    constrained = any(isinstance(op.spec, AbstractConstraint) for op in calls)
    around = experiment.gradients or experiment.loss_scale or experiment.accumulate.steps != 1
    if rule is None or constrained or around or optimizer.weight_decay is not None:
        return None
    found = rule(optimizer)
    if found is None:
        return None
    source, slots = found
    arrays: dict[str, Array] = {"learning_rate": np.array(optimizer.rate(step))}
    for name in trained_weights(program):
        place = placements[name]
        for slot, there in slots.items():
            kept = state.get(f"{name}:{slot}")
            array = _zeros(state[name].shape) if kept is None else kept
            arrays[f"{there}.{place.name}"] = place.layout.there(array)
    return NativeOptimizer(source, arrays | _more(optimizer, arrays, step))


def _more(optimizer: Any, arrays: Mapping[str, Array], step: int) -> dict[str, Array]:
    """Return the arrays that only the native optimizer has."""
    if isinstance(optimizer, Adam):
        betas = (("beta1_power", optimizer.beta_1), ("beta2_power", optimizer.beta_2))
        return {name: np.array(float(beta) ** step) for name, beta in betas}
    slots = ((name, array) for name, array in arrays.items() if name.startswith("accum."))
    begun = {name.replace("accum", "stat", 1): _zeros(array.shape) for name, array in slots}
    return begun | {"momentum": np.array(optimizer.momentum)}


def _zeros(shape: tuple[int, ...]) -> Array:
    """Return zeros that need no memory, to be read only."""
    return np.broadcast_to(np.float32(0.0), shape)


def _sgd(optimizer: SGD) -> tuple[Code, Mapping[str, str]] | None:
    if not optimizer.is_plain or not isinstance(optimizer.momentum, float):
        return None
    named: dict[str, Any] = {}
    if optimizer.momentum:
        named["momentum"] = optimizer.momentum
    if optimizer.nesterov:
        named["nesterov"] = True
    given = [Code("net.trainable_params()"), Code("learning_rate(0)")]
    return call("nn.SGD", given, named), {"velocity": "accum"}


def _adam(optimizer: Adam) -> tuple[Code, Mapping[str, str]] | None:
    if not (optimizer.is_plain and optimizer.epsilon_hat and optimizer.epsilon > 0.0):
        return None
    named = {"beta1": optimizer.beta_1, "beta2": optimizer.beta_2, "eps": optimizer.epsilon}
    given = [Code("net.trainable_params()"), Code("learning_rate(0)")]
    return call("nn.Adam", given, named), {"m": "moment1", "v": "moment2"}


RULES: dict[type[AbstractOptimizer], Rule] = {SGD: _sgd, Adam: _adam}
"""Optimizers whose native counterpart is sound; the others are written out."""

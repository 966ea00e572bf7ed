"""`suspects`: why a model may fail to learn a few examples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.texts import KINDS, digests
from dnnbridge.diagnose.diagnosis import listed, number, share
from dnnbridge.diagnose.expected import labels_of
from dnnbridge.diagnose.subjects import arrays_of, by_layer, count_of, rows
from dnnbridge.layers import BatchNormalization, Normalization, Rescaling
from dnnbridge.specs.rewriting import specs_in
from dnnbridge.training.probing import gradients_of
from dnnbridge.training.run import Run

LARGE = 10.0
"""Inputs whose root mean square is larger should be scaled."""

SCALING = (Normalization, Rescaling, BatchNormalization)
"""Layers of models that scale their inputs themselves."""

STANDS, FALLS = 0.05, 0.03
"""Shares of a loss: less is standing still; more in the last quarter of the steps is falling."""

STILL_FALLING = "the loss is still falling"
"""Name of a suspect that is no fault."""

BATCH = 64
"""How many examples the gradients are of."""


class Suspect(NamedTuple):
    """A likely fault.

    Attributes:
        name: in a few words.
        text: what was found and what to try, a sentence.
    """

    name: str
    text: str


def suspects(
    run: Run, data: tuple[Any, Any], losses: Sequence[float], target: float
) -> list[Suspect]:
    """Return likely faults, the surest first.

    Args:
        run: after the training.
        data: inputs and labels that it does not learn.
        losses: of each step.
        target: loss that was not reached.
    """
    finite = all(map(math.isfinite, losses))
    sure = [_nonfinite(losses), _contradicting(run, data), _frozen(run)]
    sure += [_unreached(run, data)] if finite else []
    unsure = [_inputs(run, data[0]), _capacity(run, data[1])]
    found = [suspect for suspect in sure if suspect is not None]
    if not found:
        unsure += [_pace(losses, target)]
    return found + [suspect for suspect in unsure if suspect is not None]


def _nonfinite(losses: Sequence[float]) -> Suspect | None:
    bad = next((i for i, loss in enumerate(losses, 1) if not math.isfinite(loss)), None)
    if bad is None:
        return None
    return Suspect(
        "the loss is not finite",
        f"The loss is infinite or NaN at step {bad}: the learning rate is too high, or the inputs "
        "are not finite or too large.",
    )


def _contradicting(run: Run, data: tuple[Any, Any]) -> Suspect | None:
    """Find equal inputs with different labels."""
    inputs = _flat(arrays_of(data[0]))
    labels = _flat(list(labels_of(run, data[1]).values()))
    kinds = np.unique(inputs, axis=0, return_inverse=True)[1].ravel()
    pairs = np.unique(np.column_stack([kinds, labels]), axis=0)[:, 0]
    double = np.flatnonzero(np.bincount(pairs.astype(int)) > 1)
    count = int(np.isin(kinds, double).sum())
    if not count:
        return None
    return Suspect(
        "equal inputs have different labels",
        f"{count} of {len(inputs)} examples have equal inputs and different labels, which no model "
        "can fit: look at how the data are read and shuffled.",
    )


def _flat(arrays: Sequence[Array]) -> Array:
    numbers = [digests(a, "x") if a.dtype.kind in KINDS else a for a in arrays]
    return np.concatenate(
        [np.asarray(a, np.float64).reshape(len(a), math.prod(a.shape[1:])) for a in numbers], axis=1
    )


def _frozen(run: Run) -> Suspect | None:
    program, rules = run.experiment.program(), run.experiment.rules
    names = program.parameters
    still = {name: None for name in names if not rules.moves(program.state[name])}
    if not still:
        return None
    return Suspect(
        "weights are frozen",
        f"The experiment freezes {len(still)} of {len(names)} arrays of weights, in "
        f"{listed(list(by_layer(still)))}: leave them out of frozen.",
    )


def _unreached(run: Run, data: tuple[Any, Any]) -> Suspect | None:
    """Find layers without any gradient."""
    size = run.experiment.model.batch_size or min(BATCH, count_of(data[0]))
    gradients = gradients_of(run, *(rows(each, np.arange(size)) for each in data))
    layers = by_layer(gradients)
    still = [layer for layer, names in layers.items() if not any(gradients[n].any() for n in names)]
    if not still:
        return None
    return Suspect(
        "no gradient reaches some layers",
        f"The gradient of {listed(still)} is 0: units are dead (look at diagnose.activations), or "
        "the loss does not depend on them.",
    )


def _inputs(run: Run, x: Any) -> Suspect | None:
    scaled = any(isinstance(each, SCALING) for each in specs_in(run.experiment.model))
    for array in arrays_of(x):
        if array.dtype.kind != "f":
            continue
        flat = array.astype(np.float64).reshape(len(array), -1)
        if len(flat) > 1 and not np.ptp(flat, axis=0).any():
            return Suspect("inputs are constant", "All examples have the same inputs.")
        size = float(np.sqrt((flat**2).mean()))
        if size > LARGE and not scaled:
            return Suspect(
                "inputs are not scaled",
                f"The inputs have a root mean square of {number(size)}: scale them to about 1, "
                "with Normalization or Rescaling.",
            )
    return None


def _capacity(run: Run, y: Any) -> Suspect | None:
    weights = run.experiment.model.summary().parameters
    labels = count_of(y)
    if weights >= labels:
        return None
    return Suspect(
        "the model is small",
        f"The model has {weights} weights for {labels} examples: try wider layers.",
    )


def _pace(losses: Sequence[float], target: float) -> Suspect | None:
    """Say how the loss moved: not at all, still falling, up and down, or to a standstill."""
    quarter = max(len(losses) // 4, 1)
    first, last = float(np.mean(losses[:quarter])), float(np.mean(losses[-quarter:]))
    before = float(np.mean(losses[-2 * quarter : -quarter] or losses[:1]))
    if last > losses[0]:
        return Suspect(
            "the loss grows",
            "The loss grows: the learning rate is too high (learning_rate_range finds one).",
        )
    if abs(losses[0] - last) < STANDS * abs(losses[0]):
        return Suspect(
            "the loss stands still",
            f"The loss hardly moves, by {share(abs(losses[0] - last) / abs(losses[0] or 1.0))}: "
            "the learning rate is too low or too high (learning_rate_range finds one), or the "
            "outputs do not depend on the inputs.",
        )
    if before - last > FALLS * (before - target):
        return Suspect(
            STILL_FALLING,
            f"The loss still falls, from {number(before)} to {number(last)} in the last quarter: "
            "give more steps or a higher learning rate.",
        )
    return Suspect(
        "the loss stops falling",
        f"The loss falls from {number(first)} and stops near {number(last)}: try a smaller "
        "learning rate at the end, a larger model, and look at activations and gradients.",
    )

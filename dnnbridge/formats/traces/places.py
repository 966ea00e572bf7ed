"""`TracePlace`: what a row of a recorded step is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, get_args

TraceStage = Literal[
    "state",
    "input",
    "layer",
    "loss",
    "gradient",
    "rate",
    "update",
    "statistics",
    "slots",
    "metrics",
]
"""What is recorded, in the order in which two files are compared.

`state` is all arrays at the beginning of the step: weights, running statistics, slots. `update`,
`statistics` and `slots` are what the step adds to each.
"""

STAGES: tuple[TraceStage, ...] = get_args(TraceStage)

SENTENCES = {
    "state": "in {} at the beginning of the step",
    "input": "in the input {}",
    "layer": "in the output of layer {}",
    "loss": "in the loss",
    "gradient": "in the gradient of {}",
    "rate": "in the learning rate",
    "update": "in the update of {}",
    "statistics": "in the change of the running statistics {}",
    "slots": "in the change of the optimizer's array {}",
    "metrics": "in {} at the end of the epoch",
}
"""Each stage in a sentence."""


class TracePlace(NamedTuple):
    """What a row is about.

    Attributes:
        stage: which part of the step.
        where: the path of the layer, or the name of the array.
        shape: of the array; without the batch for outputs of layers.
    """

    stage: TraceStage
    where: str
    shape: tuple[int, ...] = ()


def as_json(places: Sequence[TracePlace]) -> list[list[Any]]:
    """Return places as a file has them."""
    return [[stage, where, list(shape)] for stage, where, shape in places]


def from_json(given: Any) -> tuple[TracePlace, ...]:
    """Return the places of a file; ValueError if they are none."""
    made = []
    for stage, where, shape in given:
        if stage not in STAGES or not isinstance(where, str):
            raise ValueError(f"{stage!r} of {where!r}")
        made.append(TracePlace(stage, where, tuple(int(size) for size in shape)))
    return tuple(made)

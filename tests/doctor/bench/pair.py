"""`Pair`: one training, written for Keras and for MindSpore, and how the two differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


class Expected(NamedTuple):
    """A difference that was planted, and where it must be found.

    Attributes:
        stage: as `align` calls it; "start" for a weight that starts in another way, "refused" if
            `align` cannot compare the two and must say why.
        where: the layer, weight or metric, by the names of Keras.
        rule: the row of the native differences that is the cause, if it is one.
        says: words that the explanation has, such as the argument.
    """

    stage: str
    where: str
    rule: str | None = None
    says: str | None = None

    def __str__(self) -> str:
        return self.rule or self.says or "the computation itself"


@dataclass(frozen=True, eq=False)
class Pair:
    """A program of Keras and its translation to MindSpore.

    Attributes:
        name: of the pair.
        section: of the table of native differences: "optimizer", "schedule", and so on; "none" if
            the two agree.
        planted: what differs, in words.
        keras: makes a compiled model from the module `keras`.
        mindspore: makes a Cell, a loss and an optimizer from the module `mindspore`.
        data: inputs and labels.
        expected: what `align` must find, in any order; nothing if the two agree.
        steps: how many steps show it.
        batch_size: examples per step.
    """

    name: str
    section: str
    planted: str
    keras: Callable[[Any], Any]
    mindspore: Callable[[Any], Any]
    data: tuple[np.ndarray, np.ndarray]
    expected: tuple[Expected, ...] = ()
    steps: int = 3
    batch_size: int = 8


def compiled(keras: Any, model: Any, loss: Any, optimizer: Any) -> Any:
    """Return a model of Keras, compiled."""
    model.compile(optimizer=optimizer, loss=loss)
    return model


def sequential(keras: Any, shape: Any, layers: list[Any], loss: Any, optimizer: Any) -> Any:
    """Return a compiled `Sequential`; a shape of whole numbers starts with their type."""
    kind = {"dtype": "int32"} if isinstance(shape, str) else {}
    sizes = (int(shape),) if isinstance(shape, str) else shape
    model = keras.Sequential([keras.Input(sizes, **kind), *layers])
    return compiled(keras, model, loss, optimizer)


def trained(cell: Any, loss: Any, optimizer: Callable[[Any], Any]) -> tuple[Any, Any, Any]:
    """Return a Cell with what trains it."""
    return cell, loss, optimizer(cell.trainable_params())

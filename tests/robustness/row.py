"""`Row`: a bad input, and the error that it must give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import dnnbridge as db
from dnnbridge.errors import DnnbridgeError


@dataclass(frozen=True)
class Place:
    """Where a bad input is given.

    Attributes:
        folder: an empty folder.
        backend: what a run of it computes with.
        run: makes a new run of the small experiment.
    """

    folder: Path
    backend: str
    run: Callable[[], db.Run]


@dataclass(frozen=True)
class Row:
    """A bad input.

    Attributes:
        does: gives it.
        error: the class of the error.
        words: what the message must have, besides the parts of any error.
        everywhere: whether it could reach a backend, so that it is given to each.
    """

    does: Callable[[Place], Any]
    error: type[DnnbridgeError]
    words: tuple[str, ...]
    everywhere: bool = False


def row(does: Callable[[Place], Any], error: type[DnnbridgeError], *words: str) -> Row:
    return Row(does, error, words)


def on_each(does: Callable[[Place], Any], error: type[DnnbridgeError], *words: str) -> Row:
    """Return a row that is given to every backend."""
    return Row(does, error, words, True)


X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(6, 4)
Y = np.array([0, 1, 2, 0, 1, 2], np.int32)


def model() -> db.Sequential:
    return db.Sequential([db.Input((4,)), db.Dense(3)])


def experiment(**changes: Any) -> db.Experiment:
    loss = db.SparseCategoricalCrossentropy(from_logits=True)
    return db.Experiment(**({"model": model(), "loss": loss, "optimizer": "sgd"} | changes))


def image(layer: Any, shape: tuple[int, ...] = (8, 8, 3)) -> db.Sequential:
    """Return a model of one layer on an image, or on another shape."""
    return db.Sequential([db.Input(shape), layer])

"""Optimizers: ten steps with changing gradients of all sizes; constant and changing rates."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from oracles.keras_names.row import Pairs, Row, text_of

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.testing.harness import trajectory

STEPS = 10
RNG = np.random.default_rng(0)
SIZES = np.array([[1e-7], [1e-4], [1e-2], [1.0], [10.0]])
START = 0.01 * RNG.normal(size=(5, 4)).astype(np.float32)
"""Small initial weights, so that float32 shows the updates of small rates."""
GRADIENTS = (SIZES * RNG.normal(size=(STEPS, 5, 4))).astype(np.float32)
RATES = (0.1, 0.1, 0.05, 0.05, 0.2, 0.02, 0.02, 0.01, 0.3, 0.1)


def _measure(name: str, arguments: Any, changing: bool, keras: Any) -> Pairs:
    mine = dict(arguments)
    if changing:
        mine["learning_rate"] = db.TableSchedule(RATES)
    native = getattr(keras.optimizers, name)(**arguments)
    spec = getattr(db, name)(**mine)
    variable = keras.Variable(START)
    native.build([variable])
    for rate, gradient in zip(RATES, GRADIENTS, strict=True):
        if changing:
            native.learning_rate = rate
        native.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    ours = trajectory(load_backend("reference"), spec, START, GRADIENTS)["p"]
    theirs = np.asarray(variable, float)
    rate = float(np.max(RATES)) if changing else float(native.learning_rate)
    return {"moved": ((theirs - START) / rate, (ours - START) / rate)}


def row(
    name: str, because: str = "", changing: bool = False, tolerance: float = 1e-4, **arguments: Any
) -> Row:
    """Compare an optimizer with the same arguments."""
    return Row(
        family="optimizer",
        name=name,
        keras=f"optimizers.{name}",
        says=", ".join(filter(None, ("changing rate" * changing, text_of(arguments)))),
        measure=partial(_measure, name, arguments, changing),
        because=because,
        tolerance=tolerance,
    )


INSIDE = (
    "the rate stands outside of the velocity, as in MindSpore and PyTorch: a new rate holds for "
    "what the velocity has gathered, too. `SGD.keras` has it inside. They differ only where the "
    "rate changes"
)
NAMES = (
    *("SGD", "Adam", "AdamW", "Adamax", "Nadam", "Adagrad", "Adadelta", "RMSprop", "Lion", "Lamb"),
    *("Ftrl", "Adafactor"),
)

OPTIMIZER_ROWS = [
    *map(row, NAMES),
    *(row(name, changing=True) for name in NAMES),
    *(row(name, weight_decay=0.1) for name in NAMES),
    row("SGD", momentum=0.9),
    row("SGD", momentum=0.9, nesterov=True),
    row("SGD", INSIDE, changing=True, momentum=0.9),
    row("SGD", INSIDE, changing=True, momentum=0.9, nesterov=True),
    row("Adam", learning_rate=0.1, beta_1=0.5, beta_2=0.9, epsilon=1e-3),
    row("Adam", learning_rate=0.1, amsgrad=True, beta_2=0.9),
    row("AdamW", learning_rate=0.1, weight_decay=0.1, epsilon=1e-3),
    row("Adagrad", learning_rate=0.1, initial_accumulator_value=0.5, epsilon=1e-2),
    row("RMSprop", learning_rate=0.1, rho=0.8, momentum=0.9),
    row("RMSprop", changing=True, momentum=0.9),
    row("RMSprop", learning_rate=0.1, centered=True, epsilon=1e-3),
    row("Ftrl", learning_rate=0.1, l1_regularization_strength=0.01, beta=0.1),
]

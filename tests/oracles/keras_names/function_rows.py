"""Activations, schedules and models."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from oracles.keras_names.evaluating import both_of_layer, ours_of
from oracles.keras_names.row import Pairs, Row, text_of

import dnnbridge as db
from dnnbridge.specs.spec import alias_of

RNG = np.random.default_rng(0)
GRID = np.concatenate([RNG.normal(0, 3, (6, 5)), RNG.uniform(-8, 8, (6, 5))])
KINKS = np.array([[0.0, 3.0, -3.0, 6.0, -2.5], [1.0, -1.0, 0.5, -0.5, 2.0]])
PAIRS = RNG.normal(0, 3, (6, 4))
PLANE = RNG.normal(0, 3, (3, 4, 5, 2))


def _activated(name: str, x: Any, arguments: Any, keras: Any) -> Pairs:
    import tensorflow as tf

    spec = getattr(db, name)(**arguments)
    feeds, found = ours_of(spec, (x,))
    native = getattr(keras.activations, alias_of(type(spec)))
    given = tf.constant(x, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(given)
        y = native(given, **arguments)
        total = tf.reduce_sum(y * feeds["weights"])
    return {"value": (y, found["value"]), "d": (tape.gradient(total, given), found["d/input_0"])}


def activation(name: str, x: Any = GRID, says: str = "", because: str = "", **more: Any) -> Row:
    """Compare an activation with the function of Keras."""
    return Row(
        family="activation",
        name=name,
        keras=f"activations.{alias_of(getattr(db, name))}",
        says=", ".join(filter(None, (says, text_of(more)))),
        measure=partial(_activated, name, x, more),
        because=because,
        tolerance=1e-5,
    )


def _layered(name: str, x: Any, arguments: Any, keras: Any) -> Pairs:
    spec, native = getattr(db, name)(**arguments), getattr(keras.layers, name)(**arguments)
    return both_of_layer(spec, native, (x,), True)


def layered(name: str, because: str = "", x: Any = GRID, **arguments: Any) -> Row:
    """Compare an activation with the layer of Keras."""
    return Row(
        family="activation",
        name=name,
        keras=f"layers.{name}",
        says=", ".join(filter(None, ("layer", text_of(arguments)))),
        measure=partial(_layered, name, x, arguments),
        because=because,
        tolerance=1e-5,
    )


ACTIVATIONS = (
    *("ReLU", "ReLU6", "LeakyReLU", "ELU", "CELU", "SELU", "GELU", "SiLU", "Mish", "Softplus"),
    *("Softsign", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "LogSigmoid", "Linear"),
    *("Softmax", "LogSoftmax", "HardTanh", "Exponential", "SquarePlus", "TanhShrink"),
    *("SoftShrink", "HardShrink", "SparsePlus", "SparseSigmoid"),
)
"""All activations that both have."""


RELUS: tuple[dict[str, float], ...] = (
    *({"negative_slope": 0.25}, {"max_value": 6.0}, {"max_value": 3.0}, {"threshold": 1.0}),
    *({"max_value": 6.0, "negative_slope": 0.25}, {"max_value": 3.0, "negative_slope": 0.25}),
    {"threshold": 1.0, "negative_slope": 0.25},
    {"max_value": 6.0, "threshold": 1.0},
    {"max_value": 3.0, "negative_slope": 0.25, "threshold": 1.0},
)


def _with_arguments() -> list[Row]:
    """Return activations whose derivatives at the kinks depend on their arguments."""
    rows = []
    for given in RELUS:
        rows += [activation("ReLU", **given), activation("ReLU", KINKS, "at the kinks", **given)]
        rows.append(layered("ReLU", x=KINKS, **given))
    for given in ({"threshold": 1.0, "default_value": 0.25},):
        rows += [activation("Threshold", **given), activation("Threshold", KINKS, "kinks", **given)]
    plain = ("HardTanh", "SquarePlus", "SoftShrink", "HardShrink", "SparsePlus", "SparseSigmoid")
    return [
        *rows,
        *(activation(name, KINKS, "at the kinks") for name in plain),
        activation("SquarePlus", b=0.5),
        activation("SoftShrink", threshold=1.0),
        activation("HardShrink", threshold=1.0),
        activation("GLU", PAIRS),
        activation("GLU", PLANE, axis=1),
        layered("PReLU", x=PLANE, shared_axes=(1, 2)),
        layered("PReLU", x=PLANE, shared_axes=2),
        layered(
            "PReLU",
            "its derivative at 0 is the slope, as below 0; Keras has 0 there",
            x=KINKS,
            alpha_initializer="ones",
        ),
    ]


def _activations() -> list[Row]:
    return [
        *map(activation, ACTIVATIONS),
        activation("GELU", approximate=True),
        activation("ELU", alpha=0.5),
        activation("CELU", alpha=0.5),
        activation("LeakyReLU", negative_slope=0.01),
        activation("Softmax", axis=0),
        *(activation(name, KINKS, "at the kinks") for name in ("ReLU", "ReLU6", "LeakyReLU")),
        activation("HardSigmoid", KINKS, "at the kinks"),
        activation("ELU", KINKS, "at the kinks"),
        activation(
            *("CELU", KINKS, "at the kinks"),
            "its derivative at 0 is 1 from both sides; Keras adds up two halves and has 2 there",
        ),
        layered("ReLU"),
        layered("ELU"),
        layered("Softmax"),
        layered("PReLU"),
        layered("LeakyReLU", negative_slope=0.1),
        layered(
            "LeakyReLU",
            "Keras has two defaults under this name: 0.2 as activation, which is ours, and 0.3 as "
            "layer",
        ),
    ]


def _scheduled(name: str, keras_name: str, ours: Any, theirs: Any, keras: Any) -> Pairs:
    mine = getattr(db, name)(**ours)
    native = getattr(keras.optimizers.schedules, keras_name)(**theirs)
    steps = range(0, 45)
    values = [float(native(np.float32(step))) for step in steps]
    return {"rates": (np.array(values) / values[0], [mine(s) / mine(0) for s in steps])}


def schedule(
    name: str, keras_name: str = "", mine: Any = None, because: str = "", **arguments: Any
) -> Row:
    """Compare 45 rates; `mine` has our arguments if their names differ."""
    theirs = keras_name or name
    return Row(
        family="schedule",
        name=name,
        keras=f"optimizers.schedules.{theirs}",
        says=text_of(arguments),
        measure=partial(_scheduled, name, theirs, mine or arguments, arguments),
        because=because,
        tolerance=2e-6,
    )


def _schedules() -> list[Row]:
    start = {"initial_learning_rate": 0.1}
    steps = {"decay_steps": 20}
    stepwise = {"boundaries": (5, 20), "values": (0.1, 0.05, 0.01)}
    return [
        schedule("ExponentialDecay", **start, **steps, decay_rate=0.5),
        schedule("ExponentialDecay", **start, **steps, decay_rate=0.5, staircase=True),
        schedule("InverseTimeDecay", **start, **steps, decay_rate=0.5),
        schedule("InverseTimeDecay", **start, **steps, decay_rate=0.5, staircase=True),
        schedule("PolynomialDecay", **start, **steps),
        schedule("PolynomialDecay", **start, **steps, power=2.0, cycle=True),
        schedule("CosineDecay", **start, **steps),
        schedule("CosineDecay", **start, **steps, alpha=0.1),
        schedule("CosineDecayRestarts", **start, first_decay_steps=7),
        schedule("CosineDecayRestarts", **start, first_decay_steps=7, t_mul=1.5, m_mul=0.8),
        schedule("PiecewiseConstantDecay", **stepwise),
    ]


def _listened(arguments: Any, keras: Any) -> Pairs:
    """Return the rates after each epoch of a metric that falls, and then rises."""
    metrics = np.concatenate([np.linspace(2.0, 0.5, 9), np.linspace(0.5, 1.0, 40)]).tolist()
    native, optimizer = keras.callbacks.ReduceLROnPlateau(**arguments), keras.optimizers.SGD(0.1)
    native.set_model(SimpleNamespace(optimizer=optimizer))
    native.on_train_begin()
    ours: Any = db.SGD(db.Plateau(0.1, **arguments))
    theirs, mine = [], []
    for epoch, value in enumerate(metrics):
        native.on_epoch_end(epoch, {"val_loss": value})
        ours = db.heard(ours, {"val_loss": value})
        theirs.append(float(optimizer.learning_rate) / 0.1)
        mine.append(ours.learning_rate(0) / 0.1)
    return {"rates": (theirs, mine)}


def plateau(**arguments: Any) -> Row:
    return Row(
        family="schedule",
        name="Plateau",
        keras="callbacks.ReduceLROnPlateau",
        says=text_of(arguments),
        measure=partial(_listened, arguments),
    )


def _modelled(name: str, keras: Any) -> Pairs:
    x, sizes = db.Input((5,)), {"hidden": (4, "tanh"), "last": (3, "linear")}
    ours = [db.Dense(units, act, name=word) for word, (units, act) in sizes.items()]
    theirs = [keras.layers.Dense(units, act, name=word) for word, (units, act) in sizes.items()]
    given = keras.Input((5,))
    if name == "Sequential":
        made = db.Sequential([x, *ours]), keras.Sequential([given, *theirs])
    else:
        y, native = ours[1](ours[0](x)), theirs[1](theirs[0](given))
        made = db.Model(x, y), keras.Model(given, native)
    return both_of_layer(*made, (GRID,), True)


def model(name: str) -> Row:
    return Row(family="layer", name=name, keras=f"models.{name}", measure=partial(_modelled, name))


FUNCTION_ROWS = [
    *(*_activations(), *_with_arguments(), *_schedules()),
    *(plateau(), plateau(factor=0.5, patience=2, cooldown=3), plateau(patience=1, min_delta=0.2)),
    *map(model, ("Sequential", "Model")),
]

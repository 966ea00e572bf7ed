"""Activations, schedules, initializers, regularizers and constraints."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from oracles.keras_names.evaluating import both_of_layer, ours_of
from oracles.keras_names.row import Pairs, Row, text_of

import dnnbridge as db
from dnnbridge.specification import alias_of

RNG = np.random.default_rng(0)
GRID = np.concatenate([RNG.normal(0, 3, (6, 5)), RNG.uniform(-8, 8, (6, 5))])
KINKS = np.array([[0.0, 3.0, -3.0, 6.0, -2.5]])


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


def _layered(name: str, arguments: Any, keras: Any) -> Pairs:
    spec, native = getattr(db, name)(**arguments), getattr(keras.layers, name)(**arguments)
    return both_of_layer(spec, native, (GRID,), True)


def layered(name: str, because: str = "", **arguments: Any) -> Row:
    """Compare an activation with the layer of Keras."""
    return Row(
        family="activation",
        name=name,
        keras=f"layers.{name}",
        says=", ".join(filter(None, ("layer", text_of(arguments)))),
        measure=partial(_layered, name, arguments),
        because=because,
        tolerance=1e-5,
    )


ACTIVATIONS = (
    *("ReLU", "ReLU6", "LeakyReLU", "ELU", "CELU", "SELU", "GELU", "SiLU", "Mish", "Softplus"),
    *("Softsign", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "LogSigmoid", "Linear"),
    *("Softmax", "LogSoftmax"),
)
"""All that both have."""


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
    """Compare 45 rates; `mine` are ours, where they are called otherwise."""
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


def _drawn(name: str, shape: Any, arguments: Any, keras: Any) -> Pairs:
    mine = getattr(db, name)(**arguments).sample(np.random.default_rng(0), shape)
    seeded = {} if name in FIXED else {"seed": 1}
    theirs = np.asarray(getattr(keras.initializers, name)(**arguments, **seeded)(shape))
    if name in FIXED:
        return {"values": (theirs, mine)}
    if name == "Orthogonal":
        grams = [a.reshape(-1, shape[-1]) for a in (theirs.astype(float), mine)]
        return {"gram": tuple(a.T @ a if len(a) >= a.shape[1] else a @ a.T for a in grams)}
    scale = np.std(mine)
    levels = (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98)
    return {
        "mean": (theirs.mean() / scale, mine.mean() / scale),
        "deviation": (theirs.std() / scale, 1.0),
        "quantiles": (np.quantile(theirs, levels) / scale, np.quantile(mine, levels) / scale),
        "bounds": (_bounds(theirs) / scale, _bounds(mine) / scale),
    }


def _bounds(a: Any) -> Any:
    """Return what all but one in 500 are within: the ends of a normal distribution are chance."""
    return np.quantile(a, (0.002, 0.998))


FIXED = ("Constant", "Zeros", "Ones", "Identity")


def initializer(name: str, shape: Any, because: str = "", **arguments: Any) -> Row:
    """Compare large draws."""
    return Row(
        family="initializer",
        name=name,
        keras=f"initializers.{name}",
        says=", ".join(filter(None, (f"shape {shape}", text_of(arguments)))),
        measure=partial(_drawn, name, shape, arguments),
        because=because,
        tolerance=1e-7 if name in FIXED else 1e-5 if name == "Orthogonal" else 0.025,
    )


def _initializers() -> list[Row]:
    dense, conv = (400, 300), (3, 3, 64, 192)
    fans = ("Glorot", "He", "Lecun")
    rows = [
        initializer(f"{kind}{of}", shape)
        for kind in fans
        for of in ("Normal", "Uniform")
        for shape in (dense, conv)
    ]
    scaled = {"scale": 3.0, "mode": "fan_avg"}
    rows += [
        initializer("VarianceScaling", dense, **scaled, distribution=distribution)
        for distribution in ("uniform", "truncated_normal")
    ]
    return [
        *rows,
        *(initializer(name, dense) for name in ("RandomNormal", "RandomUniform")),
        initializer("TruncatedNormal", dense),
        initializer("VarianceScaling", dense),
        *(initializer("Orthogonal", shape) for shape in ((40, 60), (60, 40), (3, 3, 4, 9))),
        *(initializer(name, (4, 4)) for name in ("Zeros", "Ones", "Constant", "Identity")),
        initializer("Constant", (4, 4), value=0.3),
    ]


KERNELS = {"dense": RNG.normal(size=(6, 4)), "convolution": RNG.normal(size=(3, 2, 4, 5))}


def _penalised(name: str, kernel: Any, arguments: Any, keras: Any) -> Pairs:
    import tensorflow as tf

    spec = getattr(db, name)(**arguments)
    _, found = ours_of(_Penalty(spec), (kernel,), batched=False)
    native = getattr(keras.regularizers, name)(**arguments)
    x = tf.constant(kernel, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        penalty = native(x)
    slope = tape.gradient(penalty, x, unconnected_gradients="zero")
    return {"penalty": (penalty, found["loss/0"]), "d": (slope, found["d/input_0"])}


class _Penalty:
    """Adds the penalty of its input to the loss, and gives nothing."""

    def __init__(self, spec: Any) -> None:
        self.spec = spec

    def emit(self, scope: Any, x: Any) -> Any:
        scope.add_loss(self.spec.emit(scope, x))
        return 0.0 * x


def regularizer(name: str, kernel: str = "dense", **arguments: Any) -> Row:
    return Row(
        family="regularizer",
        name=name,
        keras=f"regularizers.{name}",
        says=", ".join(filter(None, (kernel, text_of(arguments)))),
        measure=partial(_penalised, name, KERNELS[kernel], arguments),
    )


def _constrained(name: str, kernel: Any, mine: Any, theirs: Any, keras: Any) -> Pairs:
    spec = getattr(db, name)(**mine)
    _, found = ours_of(_Constrained(spec), (kernel,), gradient=False, batched=False)
    native = getattr(keras.constraints, NATIVE.get(name, name))(**theirs)
    return {"constrained": (native(kernel.astype(np.float32)), found["value"])}


class _Constrained:
    """Gives what a constraint makes of its input."""

    def __init__(self, spec: Any) -> None:
        self.spec = spec

    def emit(self, scope: Any, x: Any) -> Any:
        return self.spec.emit(x)


NATIVE = {"NonNegative": "NonNeg"}


def constraint(
    name: str, kernel: str, because: str = "", mine: Any = None, **arguments: Any
) -> Row:
    given = arguments if mine is None else mine
    return Row(
        family="constraint",
        name=name,
        keras=f"constraints.{NATIVE.get(name, name)}",
        says=", ".join(filter(None, (kernel, text_of(arguments)))),
        measure=partial(_constrained, name, KERNELS[kernel], given, arguments),
        because=because,
    )


UNIT = (
    "a norm is that of one unit here, over all axes but the last, for the kernels of convolutions "
    "too; Keras takes axis 0 unless it is told [0, 1, 2]"
)


def _constraints() -> list[Row]:
    rows = [constraint("NonNegative", kernel) for kernel in KERNELS]
    for name, theirs, mine in (
        ("MaxNorm", {"max_value": 1.0}, {"limit": 1.0}),
        ("MinMaxNorm", {"min_value": 0.5, "rate": 0.7}, {"minimum": 0.5, "rate": 0.7}),
        ("UnitNorm", {}, {}),
    ):
        axes = (0, 1, 2)
        rows += [
            constraint(name, "dense", "", mine, **theirs),
            constraint(name, "convolution", "", mine, **theirs, axis=axes),
            constraint(name, "convolution", UNIT, mine, **theirs),
        ]
    return rows


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


OTHER_ROWS = [
    *(plateau(), plateau(factor=0.5, patience=2, cooldown=3), plateau(patience=1, min_delta=0.2)),
    *map(model, ("Sequential", "Model")),
    *(*_activations(), *_schedules(), *_initializers(), *_constraints()),
    *(regularizer(name) for name in ("L1", "L2", "L1L2", "OrthogonalRegularizer")),
    regularizer("L1L2", "convolution", l1=0.1, l2=0.2),
    regularizer("L1", "convolution", l1=0.1),
    regularizer("L2", "convolution", l2=0.1),
    regularizer("OrthogonalRegularizer", factor=0.3, mode="columns"),
]

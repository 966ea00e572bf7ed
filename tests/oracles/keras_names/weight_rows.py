"""Initializers, regularizers and constraints."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from oracles.keras_names.evaluating import ours_of
from oracles.keras_names.row import Pairs, Row, text_of

import dnnbridge as db

RNG = np.random.default_rng(0)


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
    """Return a bound of all but one in 500 numbers, because the extremes of a normal are chance."""
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
    """Adds the penalty of its input to the loss; its output is 0."""

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
    native = getattr(keras.constraints, name)(**theirs)
    return {"constrained": (native(kernel.astype(np.float32)), found["value"])}


class _Constrained:
    """Applies a constraint to its input."""

    def __init__(self, spec: Any) -> None:
        self.spec = spec

    def emit(self, scope: Any, x: Any) -> Any:
        return self.spec.emit(x)


def constraint(
    name: str, kernel: str, because: str = "", mine: Any = None, **arguments: Any
) -> Row:
    given = arguments if mine is None else mine
    return Row(
        family="constraint",
        name=name,
        keras=f"constraints.{name}",
        says=", ".join(filter(None, (kernel, text_of(arguments)))),
        measure=partial(_constrained, name, KERNELS[kernel], given, arguments),
        because=because,
    )


UNIT = (
    "a norm is that of one unit here, over all axes but the last, for the kernels of convolutions "
    "too; Keras takes axis 0 unless it is told [0, 1, 2]"
)


def _constraints() -> list[Row]:
    rows = [constraint("NonNeg", kernel) for kernel in KERNELS]
    for name, mine in (
        ("MaxNorm", {"max_value": 1.0}),
        ("MinMaxNorm", {"min_value": 0.5, "rate": 0.7}),
        ("UnitNorm", {}),
    ):
        axes = (0, 1, 2)
        rows += [
            constraint(name, "dense", "", mine, **mine),
            constraint(name, "convolution", "", mine, **mine, axis=axes),
            constraint(name, "convolution", UNIT, mine, **mine),
        ]
    return rows


WEIGHT_ROWS = [
    *(*_initializers(), *_constraints()),
    *(regularizer(name) for name in ("L1", "L2", "L1L2", "OrthogonalRegularizer")),
    regularizer("L1L2", "convolution", l1=0.1, l2=0.2),
    regularizer("L1", "convolution", l1=0.1),
    regularizer("L2", "convolution", l2=0.1),
    regularizer("OrthogonalRegularizer", factor=0.3, mode="columns"),
]

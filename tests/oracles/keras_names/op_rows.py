"""Operations with a name of `keras.ops`: values, and gradients if they have any."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from oracles.keras_names.evaluating import ours_of
from oracles.keras_names.row import Pairs, Row

from dnnbridge import ops

RNG = np.random.default_rng(0)
X, Y = RNG.normal(0, 2, (4, 6)), RNG.normal(0, 2, (4, 6))
PLANE, KERNEL = RNG.normal(size=(2, 6, 5, 3)), RNG.normal(size=(1, 2, 3, 4))
WHOLE, TABLE = RNG.integers(0, 4, (4, 6)), RNG.normal(size=(4, 3))

Call = Callable[..., Any]


class _Written:
    """Emits operations on its inputs."""

    def __init__(self, write: Call) -> None:
        self.write = write

    def emit(self, scope: Any, *values: Any) -> Any:
        made = self.write(*values)
        return made if made.dtype == "float32" else ops.cast(made, "float32")


def _measure(ours: Call, theirs: Call, inputs: tuple[Any, ...], keras: Any) -> Pairs:
    import tensorflow as tf

    feeds, found = ours_of(_Written(ours), inputs)
    given = [tf.constant(a, tf.int32 if a.dtype.kind == "i" else tf.float32) for a in inputs]
    with tf.GradientTape() as tape:
        tape.watch([x for x in given if x.dtype == tf.float32])
        y = tf.cast(theirs(keras.ops, *given), tf.float32)
        like = y.shape == feeds["weights"].shape
        total = tf.reduce_sum(y * feeds["weights"]) if like else tf.reduce_sum(y)
    pairs = {"value": (y, found["value"])}
    if like and given[0].dtype == tf.float32:
        slope = tape.gradient(total, given[0], unconnected_gradients="zero")
        pairs["gradient"] = (slope, found["d/input_0"])
    return pairs


def row(name: str, *inputs: Any, ours: Any = None, theirs: Any = None, because: str = "") -> Row:
    """Compare an operation; by default both are called on the inputs alone."""
    return Row(
        family="op",
        name=name,
        keras=f"ops.{name}",
        says="as it stands" if because else "",
        measure=partial(
            _measure,
            ours or getattr(ops, name),
            theirs or (lambda space, *given: getattr(space, name)(*given)),
            inputs,
        ),
        because=because,
        tolerance=1e-5,
    )


UNARY = (
    *("abs", "erfc", "exp", "expm1", "log_softmax", "relu", "sigmoid", "sign", "softmax"),
    *("softplus", "square", "tanh"),
)

OP_ROWS = [
    *(row(name, X) for name in UNARY),
    *(row(name, np.abs(X)) for name in ("log", "sqrt")),
    *(row(name, X, Y) for name in ("maximum", "minimum", "equal")),
    row("clip", X, ours=lambda x: ops.clip(x, -1.0, 1.5), theirs=lambda k, x: k.clip(x, -1.0, 1.5)),
    row(
        "cast",
        WHOLE,
        ours=lambda x: ops.cast(x, "float32"),
        theirs=lambda k, x: k.cast(x, "float32"),
    ),
    row("one_hot", WHOLE, ours=lambda x: ops.one_hot(x, 5), theirs=lambda k, x: k.one_hot(x, 5)),
    row(
        "where",
        *(X, Y),
        ours=lambda x, y: ops.where(x > y, x, y * 2.0),
        theirs=lambda k, x, y: k.where(x > y, x, y * 2.0),
    ),
    row(
        "reshape",
        X,
        ours=lambda x: ops.reshape(x, (x.shape[0], 3, 2)),
        theirs=lambda k, x: k.reshape(x, (4, 3, 2)),
    ),
    row(
        "transpose",
        PLANE,
        ours=lambda x: ops.transpose(x, (0, 3, 1, 2)),
        theirs=lambda k, x: k.transpose(x, (0, 3, 1, 2)),
    ),
    row(
        "pad",
        X,
        ours=lambda x: ops.pad(x, ((0, 0), (1, 2))),
        theirs=lambda k, x: k.pad(x, ((0, 0), (1, 2))),
    ),
    row(
        "slice",
        X,
        ours=lambda x: ops.slice(x, (0, 2), (x.shape[0], 3)),
        theirs=lambda k, x: k.slice(x, (0, 2), (4, 3)),
    ),
    row(
        "broadcast_to",
        X[:, :1],
        ours=lambda x: ops.broadcast_to(x, (x.shape[0], 5)),
        theirs=lambda k, x: k.broadcast_to(x, (4, 5)),
    ),
    row(
        "max_pool",
        PLANE,
        ours=lambda x: ops.max_pool(x, (2, 2), (2, 2)),
        theirs=lambda k, x: k.max_pool(x, 2),
    ),
    row(
        *("conv", PLANE),
        ours=lambda x: ops.conv(x, x.builder.constant(KERNEL), (1, 1)),
        theirs=lambda k, x: k.conv(x, KERNEL.astype("f4"), data_format="channels_last"),
    ),
    row(
        *("conv_transpose", PLANE),
        ours=lambda x: ops.conv_transpose(
            x, x.builder.constant(np.swapaxes(KERNEL, 2, 3)[..., :3, :]), (1, 1), (6, 6)
        ),
        theirs=lambda k, x: k.conv_transpose(
            x, np.swapaxes(KERNEL, 2, 3)[..., :3, :].astype("f4"), data_format="channels_last"
        ),
    ),
    row(
        *("argmax", X),
        because="along the last axis unless it is told another; Keras takes all elements for a row",
    ),
    row(
        *("take", WHOLE[:, 0]),
        ours=lambda i: ops.take(i.builder.constant(TABLE), i),
        theirs=lambda k, i: k.take(TABLE.astype("f4"), i, axis=0),
    ),
    row(
        *("take", WHOLE[:, 0]),
        ours=lambda i: ops.take(i.builder.constant(TABLE), i),
        theirs=lambda k, i: k.take(TABLE.astype("f4"), i),
        because="takes rows of a table; Keras takes single elements unless axis=0 is given",
    ),
]

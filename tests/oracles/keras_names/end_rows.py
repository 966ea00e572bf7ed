"""Losses of probabilities after a final activation, for confident wrong predictions."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from oracles.keras_names.evaluating import assign
from oracles.keras_names.loss_rows import FAR, LABEL, ONE_HOT, REAL
from oracles.keras_names.row import Pairs, Row, text_of

import dnnbridge as db

X = np.vstack([FAR, REAL])
ROWS, CLASSES = np.vstack([ONE_HOT, ONE_HOT]), np.append(LABEL, LABEL)


def _measure(activation: str, name: str, y: Any, arguments: Any, keras: Any) -> Pairs:
    """Evaluate a model of one kernel and an activation, and train it for one step."""
    theirs = getattr(keras.losses, name)(**arguments)
    native = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(5, activation, use_bias=False)]
    )
    kernel = np.eye(5, dtype=np.float32)
    assign(native.weights, {"kernel": kernel})
    native.compile(keras.optimizers.SGD(0.1), theirs)
    mine = getattr(db, name)(**arguments)
    layers = [db.Input((5,)), db.Dense(5, activation, use_bias=False)]
    run = db.compile(db.Experiment(db.Sequential(layers), mine, db.SGD(0.1)), "reference")
    run.set_parameters({"dense/kernel": kernel})
    x = X.astype(np.float32)
    before = native.evaluate(x, y, verbose=0, batch_size=len(x)), run.evaluate(x, y)["loss"]
    native.train_on_batch(x, y)
    run.fit(x, y, len(x))
    return {
        "loss": before,
        "kernel": (native.get_weights()[0], run.parameters()["dense/kernel"]),
    }


def row(activation: str, name: str, y: Any, because: str = "", **arguments: Any) -> Row:
    return Row(
        family="loss",
        name=name,
        keras=f"losses.{name}",
        says=", ".join(filter(None, (f"behind a final {activation}", text_of(arguments)))),
        measure=partial(_measure, activation, name, y, arguments),
        because=because,
        tolerance=1e-5,
    )


IGNORED = (
    "the loss sees the logits behind the activation here, too; Keras puts zeros in the place of "
    "what is ignored, after which it sees none, and clips the probabilities"
)
MIXED = (
    "the factor has the sigmoid of the logits, as the cross-entropy has; Keras has the softmax in "
    "the factor and the sigmoid in the cross-entropy"
)

END_ROWS = [
    *(
        row(activation, name, y)
        for activation in ("softmax", "sigmoid")
        for name, y in (
            ("SparseCategoricalCrossentropy", CLASSES),
            ("CategoricalCrossentropy", ROWS),
            ("CategoricalFocalCrossentropy", ROWS),
            ("BinaryCrossentropy", ROWS),
            ("KLDivergence", ROWS),
        )
    ),
    row("softmax", "CategoricalCrossentropy", ROWS, label_smoothing=0.1),
    row("sigmoid", "BinaryCrossentropy", ROWS, label_smoothing=0.1),
    row("sigmoid", "BinaryFocalCrossentropy", ROWS),
    row("softmax", "BinaryFocalCrossentropy", ROWS, MIXED),
    row("softmax", "SparseCategoricalCrossentropy", CLASSES, IGNORED, ignore_class=3),
]

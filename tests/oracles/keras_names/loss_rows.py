"""Losses: value and gradient of every example, and the mean of a batch."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from oracles.keras_names.evaluating import ours_of
from oracles.keras_names.row import Pairs, Row, text_of

import dnnbridge as db
from dnnbridge.errors import DnnbridgeError

RNG = np.random.default_rng(0)
REAL, OTHER, STEPS = RNG.normal(0, 2, (9, 5)), RNG.normal(0, 2, (9, 5)), RNG.normal(size=(3, 4, 5))
LABEL, STEP_LABEL = RNG.integers(0, 5, 9), RNG.integers(0, 5, (3, 4))
ONE_HOT, STEP_ONE_HOT = np.eye(5)[LABEL], np.eye(5)[STEP_LABEL]
SHARES = RNG.random((9, 5)) + 1e-3
"""Probabilities whose sums are not 1."""
SOFT = SHARES / SHARES.sum(1, keepdims=True)
SURE = np.vstack([np.eye(5)[(LABEL[:4] + 1) % 5], 1.0 - np.eye(5)[LABEL[4:]]])
"""Probabilities of 0 and 1 for wrong predictions."""
FAR = 60.0 * (np.eye(5)[(LABEL + 1) % 5] - np.eye(5)[LABEL])
"""Logits of confident wrong predictions."""
SIGNS = 2.0 * ONE_HOT - 1.0


def _measure(name: str, x: Any, y: Any, arguments: Any, keras: Any) -> Pairs:
    import tensorflow as tf

    mine = {k: v for k, v in arguments.items() if k != "reduction"}
    native = getattr(keras.losses, name)
    theirs = {k: v for k, v in arguments.items() if k != "reduction"}
    feeds, found = ours_of(getattr(db, name)(**mine), (x, y))
    p = tf.constant(x, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(p)
        each = native(**theirs, reduction="none")(y, p)
        while each.ndim > 1:
            each = tf.reduce_mean(each, -1)
        each = tf.broadcast_to(each, [len(x)])  # one number for the whole batch
        total = tf.reduce_sum(each * tf.constant(feeds["weights"], tf.float32))
    value = found["value"]
    reduction = arguments.get("reduction", "sum_over_batch_size")
    reduced = native(**theirs, reduction=reduction)(y, p)
    return {
        "each": (each, value),
        "gradient": (tape.gradient(total, p), found["d/input_0"]),
        reduction: (reduced, value.sum() if reduction == "sum" else value.mean()),
    }


def row(name: str, x: Any, y: Any, what: str = "", because: str = "", **arguments: Any) -> Row:
    """Compare a loss with the same arguments."""
    return Row(
        family="loss",
        name=name,
        keras=f"losses.{name}",
        says=", ".join(filter(None, (what, text_of(arguments)))),
        measure=partial(_measure, name, x, y, arguments),
        because=because,
        tolerance=1e-5,
    )


def _refused(name: str, x: Any, y: Any, keras: Any) -> Pairs:
    """Return their number, and NaN for ours, which is an error."""
    theirs = float(getattr(keras.losses, name)()(y, x))
    target = getattr(db, name)().target
    experiment = db.Experiment(
        db.Sequential([db.Input((5,)), db.Dense(5)]), getattr(db, name)(), db.SGD(0.1)
    )
    assert target is not None
    try:
        db.compile(experiment, "reference").evaluate(x, y)
    except DnnbridgeError:
        return {"labels -1, 0 and 1": (theirs, np.nan)}
    raise AssertionError("labels of -1 and 0 were taken")


def _refusal(name: str) -> Row:
    return Row(
        family="loss",
        name=name,
        keras=f"losses.{name}",
        says="labels -1, 0 and 1",
        measure=partial(_refused, name, REAL, np.where(REAL < 0.0, 0.0, SIGNS)),
        because="labels are -1 and 1, or 0 and 1; both -1 and 0 are an error: Keras takes 0 for -1 "
        "only where a batch has no -1, so the rest of the batch says what a 0 means there",
    )


def _ctc(keras: Any) -> Pairs:
    x, y = RNG.normal(size=(3, 7, 5)), np.array([[1, 2, 2], [3, 1, 0], [4, 0, 0]])
    _, found = ours_of(db.CTC.keras(3), (x, y))
    return {"each": (keras.losses.CTC(reduction="none")(y, x.astype("f4")), found["value"])}


EXACT = (
    "from logits the loss is computed as a log-softmax, which has a gradient for any logits; Keras "
    "clips the softmax at 1e-7, beyond which a sure wrong answer learns nothing"
)
SUM = (
    "the loss of an example is a mean over its places, and reduction='sum' adds up examples; Keras "
    "adds up the places too"
)


WHOLE = (
    "the loss of the batch is that of each example, and reduction='sum' adds them up; in Keras "
    "it stays one number"
)


def _classes() -> list[Row]:
    rows: list[Row] = []
    for name, y, steps in (
        ("SparseCategoricalCrossentropy", LABEL, STEP_LABEL),
        ("CategoricalCrossentropy", ONE_HOT, STEP_ONE_HOT),
        ("CategoricalFocalCrossentropy", ONE_HOT, STEP_ONE_HOT),
    ):
        focal = "Focal" in name
        rows += [
            row(name, SHARES, y),
            row(name, SURE, y, "sure and wrong"),
            row(name, REAL, y, from_logits=True),
            row(name, STEPS, steps, "sequences", from_logits=True),
            row(name, REAL, y, from_logits=True, reduction="sum"),
            row(
                *(name, FAR, y, "sure and wrong", EXACT if focal else ""),
                from_logits=True,
            ),
        ]
        if "Sparse" not in name:
            rows.append(row(name, SHARES, y, label_smoothing=0.1))
    ignored = "SparseCategoricalCrossentropy"
    rows.append(row("CategoricalFocalCrossentropy", SHARES, ONE_HOT, alpha=0.5, gamma=1.5))
    rows.append(row("KLDivergence", SHARES, SOFT))
    rows.append(row("KLDivergence", SURE, ONE_HOT, "sure and wrong"))
    rows.append(row("CategoricalHinge", REAL, ONE_HOT))
    rows.append(
        row(ignored, STEPS, STEP_LABEL, "sequences", SUM, from_logits=True, reduction="sum")
    )
    return rows


def _overlaps() -> list[Row]:
    y = (STEPS > 0.3) * 1.0
    p = 1.0 / (1.0 + np.exp(-STEPS[::-1]))
    rows = []
    for name, given in (("Dice", {}), ("Tversky", {"alpha": 0.3, "beta": 0.8})):
        rows += [
            row(name, p, y),
            row(name, p, y, axis=(1, 2), **given),
            row(name, p, y, axis=-1, **given),
            row(name, 0.0 * p, 0.0 * y, "nothing", **given),
            row(name, p, y, because=WHOLE, reduction="sum", **given),
        ]
    return rows


def _binary() -> list[Row]:
    rows = []
    for name in ("BinaryCrossentropy", "BinaryFocalCrossentropy"):
        rows += [
            row(name, np.clip(SHARES, 0.0, 1.0), ONE_HOT),
            row(name, REAL, ONE_HOT, from_logits=True),
            row(name, REAL, ONE_HOT, from_logits=True, label_smoothing=0.2),
            row(name, FAR, ONE_HOT, "sure and wrong", from_logits=True),
        ]
    focal = {"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5}
    return [*rows, row("BinaryFocalCrossentropy", SOFT, ONE_HOT, **focal)]


def _real() -> list[Row]:
    far = np.array([[0.0, 1e-3, 0.5, 1.0, 2.0, 30.0, -30.0]])
    names = (
        *("MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "Huber"),
        *("LogCosh", "CosineSimilarity"),
    )
    rows = [row(name, REAL, OTHER) for name in names]
    rows += [row(name, STEPS, STEPS[::-1].copy(), "sequences") for name in names]
    rows += [row(name, far, 0.0 * far + 0.25, "near and far") for name in names]
    return [
        *rows,
        row("Huber", REAL, OTHER, delta=0.5),
        row("MeanSquaredLogarithmicError", REAL, SHARES),
        row("Poisson", SHARES, np.abs(REAL)),
        row("MeanSquaredError", REAL, OTHER, reduction="sum"),
        row("CosineSimilarity", 0.0 * REAL, OTHER, "a vector of zeros"),
        row("Hinge", REAL, SIGNS),
        row("SquaredHinge", REAL, SIGNS),
        row("Hinge", REAL, ONE_HOT, "labels 0 and 1"),
        row("Hinge", REAL, 0.0 * ONE_HOT, "labels 0"),
        row("SquaredHinge", REAL, ONE_HOT, "labels 0 and 1"),
        _refusal("Hinge"),
        _refusal("SquaredHinge"),
        Row(family="loss", name="CTC", keras="losses.CTC", says="CTC.keras", measure=_ctc),
    ]


LOSS_ROWS = [*_classes(), *_binary(), *_real(), *_overlaps()]

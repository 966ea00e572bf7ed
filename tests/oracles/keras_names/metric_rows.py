"""Metrics over several batches."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from oracles.keras_names.evaluating import ours_of
from oracles.keras_names.loss_rows import LABEL, ONE_HOT, REAL, SHARES, SOFT
from oracles.keras_names.row import Pairs, Row, text_of

import dnnbridge as db

RNG = np.random.default_rng(1)
YES = (RNG.random((9, 3)) < 0.4) * 1.0
SCORES = np.clip(RNG.normal(0.4 + 0.3 * YES, 0.25), 0.0, 1.0).astype(np.float32).astype(float)
BATCHES = (slice(0, 4), slice(4, 8), slice(8, 9))


def _measure(spec: Any, native: str, arguments: Any, x: Any, y: Any, keras: Any) -> Pairs:
    theirs = getattr(keras.metrics, native)(**arguments)
    total = 0.0
    for rows in BATCHES:
        theirs.update_state(y[rows], x[rows].astype(np.float32))
        total = total + ours_of(spec, (x[rows], y[rows]), gradient=False)[1]["value"].sum(0)
    return {"result": (np.asarray(theirs.result()), np.asarray(spec.result(total, len(y))))}


def row(
    spec: Any, native: str, x: Any, y: Any, says: str = "", because: str = "", **arguments: Any
) -> Row:
    """Compare a metric of ours with one of Keras, batch by batch."""
    name = type(spec).__name__ if not isinstance(spec, db.LossMetric) else type(spec.loss).__name__
    return Row(
        family="metric",
        name=name,
        keras=f"metrics.{native}",
        says=", ".join(filter(None, (native if native != name else "", says, text_of(arguments)))),
        measure=partial(_measure, spec, native, arguments, x, y),
        because=because,
        tolerance=1e-5,
    )


OF_LOSSES = {
    "BinaryCrossentropy": (db.BinaryCrossentropy(), SCORES, YES),
    "CategoricalCrossentropy": (db.CategoricalCrossentropy(), SHARES, ONE_HOT),
    "SparseCategoricalCrossentropy": (db.SparseCategoricalCrossentropy(), SHARES, LABEL),
    "CategoricalHinge": (db.CategoricalHinge(), REAL, ONE_HOT),
    "Hinge": (db.Hinge(), REAL, 2.0 * ONE_HOT - 1.0),
    "SquaredHinge": (db.SquaredHinge(), REAL, 2.0 * ONE_HOT - 1.0),
    "KLDivergence": (db.KLDivergence(), SHARES, SOFT),
    "LogCoshError": (db.LogCosh(), REAL, SHARES),
    "MeanAbsoluteError": (db.MeanAbsoluteError(), REAL, SHARES),
    "MeanAbsolutePercentageError": (db.MeanAbsolutePercentageError(), REAL, SHARES),
    "MeanSquaredError": (db.MeanSquaredError(), REAL, SHARES),
    "MeanSquaredLogarithmicError": (db.MeanSquaredLogarithmicError(), REAL, SHARES),
    "Poisson": (db.Poisson(), SHARES, SOFT),
}
"""Metrics of Keras for which a loss is used here: `metrics=[MeanAbsoluteError()]`."""

POSITIVES = ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives")
POINTS = {
    "PrecisionAtRecall": "recall",
    "RecallAtPrecision": "precision",
    "SensitivityAtSpecificity": "specificity",
    "SpecificityAtSensitivity": "sensitivity",
}
CLASSES = ONE_HOT.shape[-1]
IOU = {"num_classes": CLASSES, "sparse_y_pred": False}
TWO = {"target_class_ids": [0, 2]}

METRIC_ROWS = [
    *(row(db.LossMetric(loss), name, x, y) for name, (loss, x, y) in OF_LOSSES.items()),
    row(
        *(db.LossMetric(db.CosineSimilarity()), "CosineSimilarity", REAL, SHARES),
        because="as metric it is the mean of the loss, -1 for equal directions; Keras turns the "
        "sign of the metric, and not of the loss",
    ),
    row(
        *(db.Accuracy(), "Accuracy", np.round(np.abs(REAL)), ONE_HOT),
        because="the share of largest predictions at the label, which Keras calls "
        "CategoricalAccuracy and takes for 'accuracy' too; its class Accuracy counts predictions "
        "that equal their labels, number by number",
    ),
    row(db.Accuracy(), "SparseCategoricalAccuracy", REAL, LABEL),
    row(db.Accuracy(), "CategoricalAccuracy", REAL, ONE_HOT),
    row(db.Accuracy(), "BinaryAccuracy", SCORES[:, :1], YES[:, :1]),
    row(db.BinaryAccuracy(), "BinaryAccuracy", SCORES, YES),
    row(db.BinaryAccuracy(0.3), "BinaryAccuracy", SCORES, YES, threshold=0.3),
    row(db.TopKCategoricalAccuracy(2), "SparseTopKCategoricalAccuracy", REAL, LABEL, k=2),
    row(db.TopKCategoricalAccuracy(2), "TopKCategoricalAccuracy", REAL, ONE_HOT, k=2),
    row(db.Precision(), "Precision", SCORES, YES),
    row(db.Precision(0.3), "Precision", SCORES, YES, thresholds=0.3),
    row(db.Recall(), "Recall", SCORES, YES),
    row(db.Recall(0.3), "Recall", SCORES, YES, thresholds=0.3),
    row(
        *(db.F1Score(), "F1Score", SCORES, YES),
        because="one number, the mean of the classes, of answers above 0.5; Keras gives a number "
        "per class unless it is told average='macro', and answers with the largest prediction, "
        "which is always 1 where there is one column",
    ),
    row(db.F1Score(), "F1Score", SCORES, YES, average="macro", threshold=0.5),
    row(db.F1Score(None), "F1Score", REAL, ONE_HOT, average="macro"),
    row(db.F1Score(average="micro"), "F1Score", SCORES, YES, average="micro", threshold=0.5),
    row(db.AUC(), "AUC", SCORES, YES),
    row(db.AUC(50, "PR"), "AUC", SCORES, YES, num_thresholds=50, curve="PR"),
    row(db.AUC(multi_label=True), "AUC", SCORES, YES, multi_label=True),
    row(db.R2Score(), "R2Score", SCORES, YES),
    row(db.R2Score(num_regressors=2), "R2Score", SCORES, YES, num_regressors=2),
    row(db.CosineSimilarityMetric(), "CosineSimilarity", REAL, SHARES),
    row(db.PearsonCorrelation(), "PearsonCorrelation", REAL, SHARES),
    row(db.ConcordanceCorrelation(), "ConcordanceCorrelation", REAL, SHARES),
    row(db.RootMeanSquaredError(), "RootMeanSquaredError", REAL, SHARES),
    row(db.Precision(thresholds=[0.2, 0.6]), "Precision", SCORES, YES, thresholds=[0.2, 0.6]),
    row(db.Recall(top_k=2, class_id=1), "Recall", SHARES, ONE_HOT, top_k=2, class_id=1),
    *(row(getattr(db, name)(), name, SCORES, YES) for name in POSITIVES),
    *(row(getattr(db, name)(0.5), name, SCORES, YES, **{of: 0.5}) for name, of in POINTS.items()),
    row(db.FBetaScore(), "FBetaScore", SHARES, ONE_HOT),
    row(
        db.FBetaScore("weighted", 2.0), "FBetaScore", SHARES, ONE_HOT, average="weighted", beta=2.0
    ),
    row(db.BinaryIoU(), "BinaryIoU", SCORES, YES),
    row(db.MeanIoU(CLASSES, sparse_y_pred=False), "MeanIoU", SHARES, LABEL, **IOU),
    row(db.IoU(CLASSES, (0, 2), sparse_y_pred=False), "IoU", SHARES, LABEL, **TWO, **IOU),
    row(db.OneHotIoU(CLASSES, (0, 2)), "OneHotIoU", SHARES, ONE_HOT, num_classes=CLASSES, **TWO),
    row(db.OneHotMeanIoU(CLASSES), "OneHotMeanIoU", SHARES, ONE_HOT, num_classes=CLASSES),
]

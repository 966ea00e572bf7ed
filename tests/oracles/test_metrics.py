"""Independent witness: metrics of Keras, over batches of different sizes, with weights."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from oracles.witnesses import witness

import dnnbridge as db

RNG = np.random.default_rng(11)
BATCHES = (slice(0, 7), slice(7, 21), slice(21, 24))
COUNT = 24


def _labels(*shape, share=0.4):
    return (RNG.random((COUNT, *shape)) < share).astype("f4")


def _scores(labels):
    return np.clip(RNG.normal(0.35 + 0.3 * labels, 0.25), 0.0, 1.0).astype("f4")


def _shares(*shape):
    made = np.exp(RNG.normal(size=(COUNT, *shape)))
    return (made / made.sum(-1, keepdims=True)).astype("f4")


ONE, SEVERAL, STEPS = _labels(1), _labels(3), _labels(4, 3)
IDS, IMAGE = RNG.integers(0, 5, COUNT), RNG.integers(0, 4, (COUNT, 3, 2))
EYE, PIXELS = np.eye(5, dtype="f4")[IDS], np.eye(4, dtype="f4")[IMAGE]
DATA = {
    "one": (ONE, _scores(ONE)),
    "several": (SEVERAL, _scores(SEVERAL)),
    "steps": (STEPS, _scores(STEPS)),
    "classes": (EYE, _shares(5)),
    "labels": ((RNG.random((COUNT, 5)) < 0.5).astype("f4"), _shares(5)),
    "image": (PIXELS, _shares(3, 2, 4)),
    "first": (np.moveaxis(PIXELS, -1, 1).copy(), np.moveaxis(_shares(3, 2, 4), -1, 1).copy()),
    "ids": (IDS, np.where(RNG.random(COUNT) < 0.6, IDS, RNG.integers(0, 5, COUNT)).astype("f4")),
    "sparse": (IMAGE, _shares(3, 2, 4)),
    "no_ones": (0.0 * ONE, _scores(ONE)),
    "only_ones": (0.0 * ONE + 1.0, _scores(ONE)),
    "logits": (SEVERAL, RNG.normal(size=(COUNT, 3)).astype("f4")),
    "real": (RNG.normal(size=(COUNT, 3)).astype("f4"), RNG.normal(size=(COUNT, 3)).astype("f4")),
    "real_steps": (
        *(RNG.normal(size=(COUNT, 4, 3)).astype("f4"), RNG.normal(size=(COUNT, 4, 3)).astype("f4")),
    ),
}
WEIGHTS = RNG.random(COUNT).astype("f4") * 3.0
WHOLE = RNG.integers(0, 4, COUNT)
OF_STEPS = RNG.random((COUNT, 4)).astype("f4")

POSITIVES = ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives")
POINTS = {
    "PrecisionAtRecall": "recall",
    "RecallAtPrecision": "precision",
    "SensitivityAtSpecificity": "specificity",
    "SpecificityAtSensitivity": "sensitivity",
}
CORRELATIONS = ("Pearson", "Concordance")
RATIOS = ("Precision", "Recall")
F_SCORES = ("FBetaScore", "F1Score")

CASES = [
    *((n, {"thresholds": t}, d) for n in POSITIVES for t in (None, 0.3) for d in ("one", "steps")),
    *((n, {"thresholds": [0.1, 0.25, 0.8]}, d) for n in POSITIVES for d in ("several", "steps")),
    *((n, {"thresholds": [0.5]}, "one") for n in POSITIVES),
    *((n, {}, d) for n in RATIOS for d in ("one", "several", "steps", "no_ones", "only_ones")),
    *((n, {"thresholds": t}, "several") for n in RATIOS for t in (0.2, [0.2], [0.2, 0.7, 0.5])),
    *((n, {"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}, "steps") for n in RATIOS),
    *((n, {"top_k": k}, d) for n in RATIOS for k in (1, 3, 5) for d in ("classes", "labels")),
    *((n, {"top_k": 2, "thresholds": t}, "labels") for n in RATIOS for t in (0.3, [0.1, 0.3])),
    *((n, {"class_id": 1}, d) for n in RATIOS for d in ("several", "steps")),
    *((n, {"class_id": 2, "thresholds": [0.3, 0.6]}, "steps") for n in RATIOS),
    *((n, {"class_id": 3, "top_k": 2}, "labels") for n in RATIOS),
    *(
        (n, {"average": average, "threshold": threshold}, data)
        for n in F_SCORES
        for average in (None, "micro", "macro", "weighted")
        for threshold, data in ((0.5, "several"), (None, "classes"), (None, "labels"))
    ),
    *(("FBetaScore", {"beta": beta, "average": "macro"}, "classes") for beta in (0.5, 2.0)),
    *((n, {rate: 0.6}, d) for n, rate in POINTS.items() for d in ("one", "several", "steps")),
    *((n, {rate: 0.9, "num_thresholds": 7}, "several") for n, rate in POINTS.items()),
    *((n, {rate: 0.4, "num_thresholds": t}, "one") for n, rate in POINTS.items() for t in (1, 2)),
    *((n, {rate: 0.7, "class_id": 2}, "steps") for n, rate in POINTS.items()),
    *((n, {rate: 1.0}, "no_ones") for n, rate in POINTS.items()),
    *(
        ("AUC", {"curve": curve, "summation_method": method, "num_thresholds": 50}, data)
        for curve in ("ROC", "PR", "PRGAIN")
        for method in ("interpolation", "minoring", "majoring")
        for data in ("one", "steps")
    ),
    *(("AUC", {"curve": c, "multi_label": True}, "several") for c in ("ROC", "PR", "PRGAIN")),
    *(("AUC", {"curve": c}, d) for c in ("ROC", "PR") for d in ("no_ones", "only_ones")),
    ("AUC", {"thresholds": [0.7, 0.2, 0.35]}, "several"),
    ("AUC", {"thresholds": [0.25, 0.5, 0.75]}, "several"),
    ("AUC", {"label_weights": [0.5, 2.0, 1.0]}, "several"),
    ("AUC", {"label_weights": [0.5, 2.0, 1.0], "multi_label": True, "num_labels": 3}, "several"),
    ("AUC", {"from_logits": True}, "logits"),
    ("RootMeanSquaredError", {}, "real"),
    ("RootMeanSquaredError", {}, "real_steps"),
    ("CosineSimilarity", {}, "real"),
    ("CosineSimilarity", {"axis": -2}, "real_steps"),
    *((f"{n}Correlation", {}, d) for n in CORRELATIONS for d in ("real", "real_steps")),
    *((f"{n}Correlation", {"axis": 1}, "real_steps") for n in CORRELATIONS),
    *(("R2Score", {"class_aggregation": a}, "several") for a in (None, "uniform_average")),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, "several"),
    ("R2Score", {"num_regressors": 3}, "several"),
    ("R2Score", {"class_aggregation": None, "num_regressors": 100}, "several"),
    ("IoU", {"num_classes": 5, "target_class_ids": [1, 3]}, "ids"),
    ("IoU", {"num_classes": 4, "target_class_ids": [0], "sparse_y_pred": False}, "sparse"),
    ("MeanIoU", {"num_classes": 5}, "ids"),
    ("MeanIoU", {"num_classes": 7}, "ids"),
    ("MeanIoU", {"num_classes": 3}, "ids"),
    ("MeanIoU", {"num_classes": 5, "ignore_class": 2}, "ids"),
    ("MeanIoU", {"num_classes": 4, "sparse_y_pred": False, "ignore_class": 0}, "sparse"),
    ("MeanIoU", {"num_classes": 4, "sparse_y_pred": False, "sparse_y_true": False}, "image"),
    ("OneHotIoU", {"num_classes": 4, "target_class_ids": [0, 2]}, "image"),
    ("OneHotMeanIoU", {"num_classes": 4}, "image"),
    ("OneHotMeanIoU", {"num_classes": 5}, "classes"),
    *(("BinaryIoU", {"threshold": t}, "several") for t in (0.5, 0.3)),
    ("BinaryIoU", {"target_class_ids": [1]}, "one"),
]
OURS = {"CosineSimilarity": "CosineSimilarityMetric"}
IDS_OF = [f"{name}-{data}-{given}" for name, given, data in CASES]
UNSOUND = {"R2Score": ("num_regressors",)}
"""Arguments of which Keras has another number with weights: n counts examples without them."""


def ours_of(name, given):
    return getattr(db, OURS.get(name, name))(**given)


@witness(
    "Keras",
    *(db.TruePositives, db.TrueNegatives, db.FalsePositives, db.FalseNegatives),
    *(db.Precision, db.Recall, db.FBetaScore, db.F1Score, db.AUC, db.R2Score),
    *(db.PrecisionAtRecall, db.RecallAtPrecision),
    *(db.SensitivityAtSpecificity, db.SpecificityAtSensitivity),
    *(db.RootMeanSquaredError, db.CosineSimilarityMetric),
    *(db.PearsonCorrelation, db.ConcordanceCorrelation),
    *(db.IoU, db.MeanIoU, db.OneHotIoU, db.OneHotMeanIoU, db.BinaryIoU),
)
@pytest.mark.parametrize(("name", "given", "data"), CASES, ids=IDS_OF)
def test_metrics_equal_keras(name, given, data):
    keras = pytest.importorskip("keras")
    y, p = DATA[data]
    weights = [None, WHOLE, WEIGHTS]
    if p.ndim == 3 and p.shape[1] == 4 and "IoU" not in name and data in ("steps", "real_steps"):
        weights += [OF_STEPS] if given.get("axis", -1) == -1 else []
    if "IoU" in name and p.size > COUNT:  # Keras needs a weight for each place
        weights = [None]
    if set(UNSOUND.get(name, ())) & given.keys():
        weights = [None]
    for w in weights:
        each = w
        if w is not None and w.ndim == 1 and data == "steps":  # counts need a weight per step
            each = np.repeat(w[:, None], y.shape[1], 1)
        theirs = of_keras(keras, name, given, y, p, each)
        found = np.asarray(ours_of(name, given)(y, p, w))
        np.testing.assert_allclose(found, theirs, rtol=1e-6, atol=1e-7, err_msg=str(w))


def of_keras(keras, name, given, y, p, weights):
    """Return the result of Keras after batches of different sizes."""
    float_weights = "IoU" in name and weights is WEIGHTS
    exact = {"dtype": "float32"} if float_weights else {}  # Keras rounds them to whole numbers
    theirs = getattr(keras.metrics, name)(**given, **exact)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for rows in BATCHES:
            theirs.update_state(y[rows], p[rows], None if weights is None else weights[rows])
        return np.asarray(theirs.result())


@witness("NumPy", db.Precision, db.Recall, db.F1Score)
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
def test_means_over_classes_are_those_of_scikit_learn(weights):
    """Its formulas by hand: support is the number of labels of a class, by weight."""
    scores = DATA["classes"][1]
    w, said = np.ones(COUNT) if weights is None else weights.astype(float), scores.argmax(1)
    hits, answers, support = (
        np.array([w[rows == c].sum() for c in range(5)])
        for rows in (np.where(said == IDS, IDS, -1), said, IDS)
    )
    per_class = {
        "Precision": hits / np.where(answers > 0, answers, 1.0),
        "Recall": hits / np.where(support > 0, support, 1.0),
        "F1Score": 2.0 * hits / np.where(answers + support > 0, answers + support, 1.0),
    }
    for name, wanted in per_class.items():
        each = {"none": wanted, "macro": wanted.mean()}
        each["weighted"] = (wanted * support).sum() / support.sum()
        for average, value in each.items():
            of = average if name != "F1Score" or average != "none" else None
            metric = getattr(db, name)(threshold=None, average=of)
            found = np.asarray(metric(IDS, scores, weights))
            np.testing.assert_allclose(found, value, rtol=1e-12, err_msg=f"{name} {average}")
            if name != "F1Score" and average != "none":
                again = getattr(db, name)(top_k=1, average=average)(IDS, scores, weights)
                assert again == pytest.approx(value, rel=1e-12)


@witness("NumPy", db.FunctionMetric)
def test_a_function_is_its_mean_over_examples():
    y, p = (array.astype(float) for array in DATA["real_steps"])

    def largest_error(y_true, y_pred):
        return db.ops.reduce_max(abs(y_true - y_pred) ** 3, -1) / 2.0 > 0.5

    wanted = ((np.abs(y - p) ** 3).max(-1) / 2.0 > 0.5).mean(1)
    metric = db.FunctionMetric(largest_error)
    assert metric(y, p) == pytest.approx(wanted.mean(), rel=1e-12)
    weighted = (wanted * WEIGHTS).sum() / WEIGHTS.sum()
    assert metric(y, p, WEIGHTS) == pytest.approx(weighted, rel=1e-6)

"""Metrics of compiled Keras models, with and without sample weights: the same numbers and names."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ConversionError
from dnnbridge.formats.keras.writing.metrics import write_metric

keras = pytest.importorskip("keras")

RNG = np.random.default_rng(3)
X = RNG.normal(size=(11, 4)).astype("f4")
YES = (RNG.random((11, 2)) < 0.5).astype("f4")
W = RNG.random(11).astype("f4") * 2.0
M = keras.metrics


def evaluated(model, x, y, w):
    """Return what Keras reports, in batches of 4, 4 and 3."""
    return model.evaluate(x, y, batch_size=4, sample_weight=w, verbose=0, return_dict=True)


def check(run, model, x, y, w):
    listed = ([each[n] for n in y] if isinstance(each, dict) else each for each in (y, w))
    theirs, ours = evaluated(model, x, *listed), run.evaluate(x, y, 4, sample_weight=w)
    assert set(theirs) == set(ours)
    for name, value in theirs.items():
        if name != "loss" and not name.endswith("_loss"):
            np.testing.assert_allclose(ours[name], value, rtol=2e-6, atol=1e-6, err_msg=name)


def test_metrics_with_and_without_weights_of_one_output():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, "sigmoid")])
    plain = [
        *("mean_squared_error", M.Precision(name="precision")),
        M.TruePositives(thresholds=[0.3, 0.6], name="true_positives"),
    ]
    weighted = [
        *(
            "mean_squared_error",
            "binary_accuracy",
            M.Precision(name="precision"),
            M.Recall(class_id=1),
        ),
        *(M.AUC(20, "PR", name="auc"), M.RootMeanSquaredError(), M.CosineSimilarity()),
        *(M.FBetaScore("weighted", 2.0, 0.5), M.R2Score("variance_weighted_average")),
        *(M.PrecisionAtRecall(0.4), M.FalseNegatives(name="missed")),
        M.Precision(top_k=1, name="first"),
    ]
    model.compile("sgd", "binary_crossentropy", metrics=plain, weighted_metrics=weighted)
    evaluated(model, X, YES, W)
    imported = db.from_keras(model)
    assert not imported.report.notes
    run = imported.compile("reference")
    names = list(run.evaluate(X, YES))
    assert names[1:6] == [
        *("mean_squared_error", "precision", "true_positives"),
        *("weighted_mean_squared_error", "binary_accuracy"),
    ]
    assert {"weighted_precision", "missed", "auc", "fbeta_score"} < set(names)
    check(run, model, X, YES, W)
    check(run, db.to_keras(run), X, YES, W)
    again = db.from_keras(db.to_keras(run)).experiment
    assert again.weighted_metrics == run.experiment.weighted_metrics
    assert again.metrics == run.experiment.metrics


def test_metrics_with_weights_of_steps():
    model = db.Sequential([db.Input((5, 4)), db.Dense(2, "sigmoid")])
    weighted = ["mse", "precision", db.AUC(20), db.TruePositives(), db.RootMeanSquaredError()]
    loss = db.TimeDistributedLoss(db.BinaryCrossentropy())
    run = db.compile(
        db.Experiment(model, loss, db.SGD(0.1), ["precision"], weighted_metrics=weighted),
        "reference",
    )
    x, y = RNG.normal(size=(11, 5, 4)).astype("f4"), (RNG.random((11, 5, 2)) < 0.5) * 1.0
    theirs = db.to_keras(run)
    check(run, theirs, x, y, RNG.random((11, 5)).astype("f4"))


def test_metrics_of_several_outputs():
    given = keras.Input((4,))
    kind = keras.layers.Dense(3, "softmax", name="kind")(given)
    size = keras.layers.Dense(2, name="size")(given)
    model = keras.Model(given, [kind, size])
    model.compile(
        "sgd",
        {"kind": "sparse_categorical_crossentropy", "size": "mse"},
        metrics={"kind": ["accuracy"], "size": ["mean_absolute_error"]},
        weighted_metrics={"kind": ["accuracy"], "size": [M.R2Score(class_aggregation=None)]},
    )
    y = {"kind": RNG.integers(0, 3, 11), "size": RNG.normal(size=(11, 2)).astype("f4")}
    w = {"kind": W, "size": W[::-1].copy()}
    evaluated(model, X, list(y.values()), list(w.values()))
    run = db.from_keras(model).compile("reference")
    assert "kind_weighted_accuracy" in run.evaluate(X, y)
    check(run, model, X, y, w)
    check(run, db.to_keras(run), X, y, w)


WRITTEN = [
    *(db.Precision(0.3), db.Precision(thresholds=[0.1, 0.7]), db.Recall(top_k=2, class_id=1)),
    *(db.F1Score(average=None), db.FBetaScore("macro", 0.5), db.MeanIoU(3, ignore_class=1)),
    *(db.IoU(3, [0, 2]), db.OneHotIoU(3, [1]), db.OneHotMeanIoU(3, axis=0), db.BinaryIoU([1])),
    *(db.RecallAtPrecision(0.3, class_id=1), db.SensitivityAtSpecificity(0.2, 50)),
    *(db.SpecificityAtSensitivity(0.2), db.TrueNegatives([0.2, 0.4]), db.FalsePositives()),
    *(db.AUC(thresholds=[0.2], multi_label=True), db.CosineSimilarityMetric(axis=1)),
    *(db.PearsonCorrelation(1), db.R2Score(num_regressors=2), db.RootMeanSquaredError(name="far")),
]


@pytest.mark.parametrize("metric", WRITTEN, ids=repr)
def test_a_metric_becomes_one_of_keras_with_the_same_arguments(metric):
    written = write_metric(metric)
    made = keras.metrics.deserialize(written)
    for name, value in written["config"].items():
        if name == "axis" and not hasattr(made, "axis"):
            made.axis = made._fn_kwargs["axis"]
        if name not in ("name", "curve"):
            got = made.get_config().get(name, getattr(made, name, None))
            assert np.array_equal(np.asarray(got), np.asarray(value)), name
    assert made.name == metric.label


NOT_WRITTEN = [
    *(db.Precision(None), db.Recall(average="macro"), db.Precision(top_k=1, ignore_class=0)),
    *(db.ConfusionMatrix(), db.Perplexity(), db.LossMetric(db.CosineSimilarity())),
    *(db.FunctionMetric(np.mean, name="mine"), db.FBetaScore(ignore_class=1)),
]


@pytest.mark.parametrize("metric", NOT_WRITTEN, ids=repr)
def test_a_metric_that_keras_lacks_is_named(metric):
    assert write_metric(metric) is None


def test_a_live_metric_has_the_arguments_that_its_configuration_lacks():
    model = keras.Sequential([keras.Input((5, 4)), keras.layers.Dense(2)])
    metrics = [M.CosineSimilarity(axis=1)]
    model.compile("sgd", "mse", metrics=metrics, weighted_metrics=["mse", *metrics])
    experiment = db.from_keras(model).experiment
    assert experiment.metrics == (db.CosineSimilarityMetric(axis=1),)
    assert experiment.weighted_metrics[1:] == experiment.metrics


@db.metric
def far_by_convert_test(y_true, y_pred):
    return abs(y_true - y_pred) > 1.0


@pytest.mark.parametrize("live", [True, False], ids=["live", "file"])
def test_a_function_is_the_registered_one_of_its_name(live, tmp_path):
    def theirs(y_true, y_pred):
        return keras.ops.cast(keras.ops.abs(y_true - y_pred) > 1.0, "float32")

    theirs.__name__ = theirs.__qualname__ = "far_by_convert_test"

    def unknown(y_true, y_pred):
        return y_true - y_pred

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse", metrics=[theirs], weighted_metrics=[unknown])
    evaluated(model, X, YES, W)
    model.save(tmp_path / "model.keras")
    imported = db.from_keras(model if live else tmp_path / "model.keras")
    assert imported.experiment.metrics == (db.FunctionMetric("far_by_convert_test"),)
    (note,) = imported.report.notes
    assert "The metric unknown was left out: it is a Python function" in note
    found = imported.compile("reference").evaluate(X, YES, 4)["far_by_convert_test"]
    errors = np.abs(model.predict(X, verbose=0) - YES)
    assert found == pytest.approx((errors > 1.0).mean(), rel=1e-6)


@pytest.mark.parametrize("name", ["accuracy", "acc"])
def test_accuracy_keeps_its_name_with_one_output(name):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=[name], weighted_metrics=[name])
    y, w = YES[:, :1], W
    run = db.from_keras(model).compile("reference")
    assert {name, f"weighted_{name}"} < set(run.evaluate(X, y))
    check(run, model, X, y, w)
    check(run, db.to_keras(run), X, y, w)


@pytest.mark.parametrize("sparse", [True, False])
def test_an_accuracy_with_a_name_of_its_own_keeps_it(sparse):
    """Keras takes "accuracy" for one of its classes by the labels; a class takes a name."""
    loss = db.SparseCategoricalCrossentropy() if sparse else db.CategoricalCrossentropy()
    model = db.Sequential([db.Input((4,)), db.Dense(3, "softmax")])
    metrics = [db.Accuracy(name="hits"), db.Accuracy()]
    experiment = db.Experiment(model, loss, "sgd", metrics, weighted_metrics=metrics[:1])
    run = db.compile(experiment, "reference")
    labels = RNG.integers(0, 3, 11)
    y = labels if sparse else np.eye(3, dtype="f4")[labels]
    back = db.to_keras(run)
    assert set(evaluated(back, X, y, None)) > {"hits", "accuracy"}
    check(run, back, X, y, W)
    assert db.from_keras(back).experiment.metrics == experiment.metrics


def test_the_class_accuracy_of_keras_is_another_metric():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse", metrics=[M.Accuracy(name="exact")])
    imported = db.from_keras(model)
    assert imported.experiment.metrics == ()
    assert "equal the label exactly" in imported.report.notes[0]


def test_an_accuracy_that_ignores_a_class_is_no_accuracy_of_keras():
    model = db.Sequential([db.Input((4,)), db.Dense(3, "softmax")])
    metrics = [db.Accuracy(ignore_class=0)]
    experiment = db.Experiment(model, "sparse_categorical_crossentropy", "sgd", metrics)
    with pytest.raises(ConversionError, match=r"metrics: Accuracy\(ignore_class=0\)"):
        db.to_keras(db.compile(experiment, "reference"))


def test_weights_that_keras_rounds_are_an_error():
    model = db.Sequential([db.Input((4,)), db.Dense(1, "sigmoid")])
    given = (model, "binary_crossentropy", "sgd")
    run = db.compile(db.Experiment(*given, weighted_metrics=[db.BinaryIoU()]), "reference")
    with pytest.raises(ConversionError, match="weighted_metrics: BinaryIoU"):
        db.to_keras(run)
    db.to_keras(db.compile(db.Experiment(*given, metrics=[db.BinaryIoU()]), "reference"))

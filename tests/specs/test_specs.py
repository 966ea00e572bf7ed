"""Specs: validation with good messages, JSON both ways, equality, third-party kinds."""

from __future__ import annotations

import json
import re

import pytest

import dnnbridge as db
from dnnbridge.errors import DnnbridgeError, SpecError
from dnnbridge.initializers import AbstractInitializer
from dnnbridge.specs.spec import kinds


def experiment(**changes) -> db.Experiment:
    given = {
        "model": db.Sequential(
            [
                db.Input((4, 3)),
                db.Flatten(),
                db.Dense(5, activation=db.LeakyReLU(0.1), kernel_initializer="he_normal"),
                db.Dropout(0.25),
                db.Tanh(),
                db.Dense(3, name="head", use_bias=False),
            ]
        ),
        "loss": db.SparseCategoricalCrossentropy(from_logits=True),
        "optimizer": db.SGD(db.PiecewiseConstant((3, 7), (0.3, 0.1, 1 / 3)), momentum=0.9),
        "metrics": ["accuracy"],
        "seed": 11,
    }
    return db.Experiment(**(given | changes))


def test_json_round_trips_exactly():
    one = experiment()
    text = one.to_json()
    again = db.Experiment.from_json(text)
    assert again == one
    assert again.to_json() == text
    assert hash(again) == hash(one)


@pytest.mark.parametrize(
    "cls",
    [c for c in kinds(AbstractInitializer) if c.__module__.startswith("dnnbridge.")],
    ids=lambda c: c.__name__,
)
def test_every_initializer_round_trips(cls):
    dense = db.Dense(2, kernel_initializer=cls())
    assert db.Spec.from_json(dense.to_json()) == dense


def test_numpy_scalars_become_python_numbers():
    import numpy as np

    assert json.loads(db.Dense(np.int64(3)).to_json())["units"] == 3
    assert db.Dropout(np.float32(0.5)) == db.Dropout(0.5)


def test_names_and_specs_are_the_same():
    assert db.Dense(2, "relu") == db.Dense(2, db.ReLU())
    assert db.Dense(2, "swish") == db.Dense(2, "silu") == db.Dense(2, db.SiLU())
    assert db.SGD(0.1) == db.SGD(db.ConstantSchedule(0.1))


def test_sizes_of_one_number_and_of_several_are_the_same():
    one = db.Conv2D(4, 3, 2, 1, dilation_rate=1)
    assert one == db.Conv2D(4, [3, 3], (2, 2), ((1, 1), (1, 1)))
    assert db.Spec.from_json(one.to_json()) == one
    assert hash(one) == hash(db.Conv2D(4, (3, 3), 2, (1, 1)))
    assert db.ZeroPadding1D((2, 1)) == db.ZeroPadding1D(((2, 1),))
    assert db.ZeroPadding1D((2, 1)) != db.ZeroPadding1D((1, 2))


def test_layer_names_are_numbered_by_kind():
    model = db.Sequential([db.Input((3,)), db.Dense(2), db.Dense(2), db.Dense(2, name="head")])
    assert [name for name, _ in model.named_layers()] == ["dense", "dense_1", "head"]


def test_specs_are_frozen():
    with pytest.raises(AttributeError):
        db.Dense(3).units = 4


def test_replace_validates():
    assert experiment().replace(seed=2).seed == 2
    with pytest.raises(SpecError, match="seed"):
        experiment().replace(seed=-1)


def small(*layers: object) -> db.Sequential:
    return db.Sequential([db.Input((4,)), *layers])


def image(*layers: object) -> db.Sequential:
    return db.Sequential([db.Input((6, 6, 3)), *layers])


BAD = {
    "row_of_padding": (
        lambda: db.Embedding(3, 2, padding_idx=9),
        "Embedding.padding_idx",
        "9 of 3",
    ),
    "label_of_padding": (lambda: db.CTC(2, 0, padding=-5), "CTC.padding", "-5"),
    "axis_text": (lambda: db.MaxNorm(1.0, axis=("a",)), "MaxNorm.axis: ", "got ('a',)"),
    "join_boundaries": (lambda: db.Join([0.1, 0.2], (3, 2)), "Join.boundaries", "(3, 2)"),
    "monitor": (lambda: db.Plateau(0.1, "heat"), "Plateau.monitor", "mode"),
    "units_negative": (lambda: db.Dense(-3), "Dense.units", "greater than 0, got -3"),
    "units_text": (lambda: db.Dense("300"), "Dense.units", "got '300'"),
    "units_bool": (lambda: db.Dense(True), "Dense.units", "got True"),
    "units_missing": (lambda: db.Dense(), "Dense.units", "missing"),
    "unknown_activation": (lambda: db.Dense(3, "rleu"), "Dense.activation", "Did you mean 'relu'"),
    "misspelt_argument": (lambda: db.Dense(unit=3), "Dense.unit", "Did you mean units?"),
    "unknown_argument": (lambda: db.Dense(3, unit=3), "Dense.unit", "Did you mean units?"),
    "unknown_initializer": (lambda: db.Dense(3, kernel_initializer="he"), "Dense", "he_normal"),
    "rate_one": (lambda: db.Dropout(1.0), "Dropout.rate", "less than 1, got 1.0"),
    "rate_nan": (lambda: db.Dropout(float("nan")), "Dropout.rate", "nan"),
    "no_input": (lambda: db.Sequential([db.Dense(3)]), "Sequential.layers", "first item"),
    "no_layers": (lambda: db.Sequential([]), "Sequential.layers", "empty list"),
    "not_a_layer": (lambda: small("dense"), "Sequential.layers[1]", "not a layer, got 'dense'"),
    "two_names": (lambda: small(db.Dense(2, name="a"), db.Dense(2, name="a")), "", "unique"),
    "bad_name": (lambda: small(db.Dense(2, name="a/b")), "", "underscores, got 'a/b'"),
    "input_zero": (lambda: db.Input((0,)), "Input.shape", "greater than 0"),
    "learning_rate_text": (lambda: db.SGD("fast"), "SGD.learning_rate", "got 'fast'"),
    "nesterov_alone": (lambda: db.SGD(0.1, nesterov=True), "SGD", "momentum"),
    "lars_nesterov": (lambda: db.LARS(0.1, 0.0, nesterov=True), "LARS", "needs momentum"),
    "rprop_steps": (lambda: db.Rprop(0.1, min_step=2.0, max_step=1.0), "Rprop", "got 2.0, 1.0"),
    "ftrl_power": (lambda: db.Ftrl(0.1, 0.5), "Ftrl.learning_rate_power", "got 0.5"),
    "ftrl_start": (lambda: db.Ftrl(0.1, -0.3, 0.0), "Ftrl", "needs learning_rate_power"),
    "ftrl_rate": (
        lambda: experiment(optimizer=db.Ftrl(db.LinearWarmup(0.1, 5))),
        "learning_rate, step 0",
        "above 0",
    ),
    "lookahead_of_a_name": (lambda: db.Lookahead("sgd"), "Lookahead.optimizer", "'sgd'"),
    "boundaries": (lambda: db.PiecewiseConstant((5, 2), (1.0, 2.0, 3.0)), "", "ascend"),
    "rates": (lambda: db.PiecewiseConstant((5,), (1.0,)), "", "1 rates and 1 boundaries"),
    "decay_steps": (lambda: db.ExponentialDecay(0.1, 0, 0.9), "ExponentialDecay.decay_steps", "0"),
    "loss_spec": (lambda: experiment(loss="mze"), "Experiment.loss", "got 'mze'"),
    "metric": (lambda: experiment(metrics=["acuracy"]), "Experiment.metrics", "'accuracy'"),
    "metrics_text": (lambda: experiment(metrics="accuracy"), "Experiment.metrics", "list"),
    "metric_of_loss": (lambda: experiment(metrics=["log_cos"]), "Experiment.metrics", "'log_cosh'"),
    "metric_labels": (
        lambda: experiment(metrics=["log_cosh"]),
        "log_cosh",
        "labels must be float32",
    ),
    "metric_twice": (
        lambda: experiment(metrics=["accuracy", db.Accuracy()]),
        "metrics",
        "the same name, got accuracy",
    ),
    "binary_metric": (lambda: experiment(metrics=["auc"]), "auc", "type of the prediction"),
    "top_k": (
        lambda: experiment(metrics=[db.TopKCategoricalAccuracy(4)]),
        "top_k_categorical_accuracy",
        "got 4 of 3",
    ),
    "average": (lambda: db.Precision(average="mean"), "Precision.average", "got 'mean'"),
    "delta": (lambda: db.Huber(0.0), "Huber.delta", "greater than 0, got 0.0"),
    "smoothing": (lambda: db.BinaryCrossentropy(label_smoothing=1.0), "label_smoothing", "less"),
    "one_class": (lambda: experiment(model=small(db.Dense(1))), "loss", "two classes"),
    "kernel_zero": (lambda: db.Conv2D(3, 0), "Conv2D.kernel_size", "or 2 of them, got 0"),
    "kernel_axes": (lambda: db.Conv2D(3, (1, 2, 3)), "Conv2D.kernel_size", "got (1, 2, 3)"),
    "strides_text": (lambda: db.MaxPooling2D(2, "2"), "MaxPooling2D.strides", "got '2'"),
    "causal_plane": (lambda: db.Conv2D(3, 3, padding="causal"), "Conv2D.padding", "got 'causal'"),
    "negative_pair": (lambda: db.ZeroPadding2D(((0, -1), 2)), "ZeroPadding2D.padding", "-1"),
    "output_padding": (
        lambda: image(db.Conv2DTranspose(2, 3, 2, output_padding=2)),
        "conv2d_transpose",
        "does not fit",
    ),
    "large_kernel": (lambda: image(db.Conv2D(3, 7)), "conv2d", "larger than its input"),
    "rank": (lambda: small(db.Conv2D(3, 2)), "conv2d", "(batch, size, size, channels)"),
    "groups": (lambda: image(db.Conv2D(4, 2, groups=4)), "conv2d", "3 channels, 4 filters"),
    "padding_alone": (lambda: image(db.MaxPooling2D(2, padding=2)), "", "padding alone"),
    "cropped_away": (lambda: image(db.Cropping2D(3)), "cropping2d", "leaves no elements"),
    "merge_mode": (lambda: db.Bidirectional(db.LSTM(2), "max"), "Bidirectional.merge_mode", "max"),
    "not_recurrent": (
        lambda: db.Bidirectional(db.Dense(2)),
        "Bidirectional.layer",
        "db.SimpleRNN",
    ),
    "recurrent_rank": (lambda: small(db.LSTM(2)), "lstm", "(batch, time, features)"),
    "blank": (lambda: db.CTC(2, blank=-1), "CTC.blank", "greater than or equal to 0"),
    "softmax_axis": (lambda: small(db.Softmax(2)), "activation", "axis 2"),
}


@pytest.mark.parametrize(("make", "where", "what"), BAD.values(), ids=BAD)
def test_bad_specs_say_where_and_what(make, where, what):
    with pytest.raises(DnnbridgeError) as caught:
        make()
    assert where in str(caught.value)
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not re.search(r"\b([A-Z]\w+)\.\1\b", str(caught.value)), "a class is named twice"


BAD_JSON = {
    "not_json": ("{", "not JSON"),
    "not_an_experiment": ("{}", "not an experiment"),
    "list": ("[1]", "not an experiment, got list"),
    "other_format": ('{"kind": "Experiment", "format": 99}', "format: this version reads format 1"),
    "unknown_kind": (
        experiment().to_json().replace('"layer.Dropout"', '"layer.Drop"'),
        "layers[3]: unknown",
    ),
    "unknown_field": (experiment().to_json().replace('"rate"', '"ratio"'), "layers[3].Dropout"),
    "wrong_value": (experiment().to_json().replace("0.25", "2.5"), "less than 1, got 2.5"),
    "extra_field": (experiment().to_json().replace('"seed"', '"sed"'), "Did you mean seed?"),
}


@pytest.mark.parametrize(("text", "what"), BAD_JSON.values(), ids=BAD_JSON)
def test_bad_json_says_where_and_what(text, what):
    with pytest.raises(SpecError) as caught:
        db.Experiment.from_json(text)
    assert what in str(caught.value)


def test_two_specs_of_one_name_are_refused():
    with pytest.raises(SpecError, match="two specs have the same name"):

        @db.spec
        class Dense(db.AbstractLayer):
            units: int

            def emit(self, scope, x):
                return x


def test_graph_prints_itself():
    text = str(experiment().program().functions["train"].graph)
    assert "MatMul" in text
    assert "ValueAndGrad" in text
    assert "# head" in text

"""Common mistakes give an error that says what to write, and never a raw Python error."""

from __future__ import annotations

import contextlib
import dataclasses

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ArgumentError, DataError, DnnbridgeError, DTypeError, SpecError
from dnnbridge.specs.rewriting import specs_in
from dnnbridge.specs.spec import kind_of
from dnnbridge.testing.cases.equation_cases import EQUATION_CASES
from dnnbridge.testing.cases.optimizer_cases import OPTIMIZER_CASES
from dnnbridge.testing.cases.schedule_cases import SCHEDULE_CASES

X = np.zeros((8, 4, 3), np.float32)
Y = np.zeros((8, 2), np.float32)


def inputs() -> db.Input:
    return db.Input((4, 3))


def model() -> db.Sequential:
    return db.Sequential([inputs(), db.Flatten(), db.Dense(2)])


def experiment(**changes) -> db.Experiment:
    given = {"model": model(), "loss": "mse", "optimizer": "sgd"} | changes
    return db.Experiment(**given)


@pytest.fixture(scope="module")
def run() -> db.Run:
    return db.compile(experiment(), "reference")


class _Foreign:
    """A live object of another package."""

    def __init__(self, name: str, module: str = "keras.src.something") -> None:
        self.__class__ = type(name, (_Foreign,), {"__module__": module})


def foreign(name: str) -> _Foreign:
    return _Foreign(name)


class _Frame:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("call detach first")


SPECS = {
    "model-none": (lambda: experiment(model=None), "Experiment.model", "For example: db."),
    "model-class": (
        lambda: experiment(model=db.Sequential),
        "the class Sequential",
        "make an instance",
    ),
    "model-layer": (lambda: experiment(model=db.Dense(3)), "expected a model", "is a layer"),
    "model-live": (
        lambda: experiment(model=foreign("Sequential")),
        "from keras",
        "write db.Sequential(…)",
    ),
    "model-input": (lambda: experiment(model=inputs()), "expected a model", "Input"),
    "loss-class": (
        lambda: experiment(loss=db.MeanSquaredError),
        "make an instance",
        "MeanSquaredError()",
    ),
    "loss-live": (
        lambda: experiment(loss=foreign("MeanSquaredError")),
        "Experiment.loss",
        "write db.MeanSquaredError()",
    ),
    "loss-misspelt": (lambda: experiment(loss="msee"), "'msee'", "Did you mean 'mse'?"),
    "loss-function": (
        lambda: experiment(loss=lambda y, p: 0),
        "expected a loss",
        "For example: db.",
    ),
    "loss-weight": (
        lambda: db.SparseCategoricalCrossentropy.mindspore(weight=3),
        "class_weights",
        "3",
    ),
    "loss-heads": (lambda: experiment(loss=[db.MeanSquaredError()]), "a Head for each", "Head("),
    "loss-none": (lambda: experiment(loss=None), "Experiment.loss", "None"),
    "optimizer-class": (lambda: experiment(optimizer=db.Adam), "make an instance", "db.Adam()"),
    "optimizer-live": (
        lambda: experiment(optimizer=foreign("Adam")),
        "write db.Adam()",
        "from_native(optimizer)",
    ),
    "optimizer-misspelt": (lambda: experiment(optimizer="adaam"), "'adaam'", "mean 'adam'?"),
    "optimizer-number": (lambda: experiment(optimizer=0.1), "expected an optimizer", "0.1"),
    "optimizer-none": (lambda: experiment(optimizer=None), "Experiment.optimizer", "None"),
    "optimizer-inner": (lambda: db.Lookahead(db.SGD), "Lookahead.optimizer", "db.SGD()"),
    "metric-text": (lambda: experiment(metrics="accuracy"), "a list of metrics", '["accuracy"]'),
    "metric-class": (
        lambda: experiment(metrics=[db.Accuracy]),
        "make an instance",
        "db.Accuracy()",
    ),
    "metric-live": (lambda: experiment(metrics=[foreign("AUC")]), "from keras", "db.AUC()"),
    "metric-misspelt": (lambda: experiment(metrics=["acuracy"]), "'acuracy'", "'accuracy'"),
    "metric-of-nothing": (
        lambda: db.LossMetric(db.MeanSquaredError),
        "make an instance",
        "LossMetric",
    ),
    "gradients-class": (lambda: experiment(gradients=db.ClipByNorm), "rules for", "ClipBy"),
    "frozen-text": (lambda: experiment(frozen="dense/*"), "Experiment.frozen", "['dense/*']"),
    "remat-text": (lambda: experiment(remat="block_*"), "Experiment.remat", "['block_*']"),
    "float32-layers-number": (
        lambda: db.MixedFloat16(float32_layers=3),
        "MixedFloat16.float32_layers",
        "must be a list or a tuple",
    ),
    "regularizers-class": (
        lambda: experiment(regularizers={"*": db.L2}),
        "make an instance",
        "db.L2()",
    ),
    "seed-text": (lambda: experiment(seed="1"), "Experiment.seed", "integer"),
    "unknown-field": (lambda: experiment(callbacks=[]), "callbacks", "unknown argument"),
    "activation-class": (lambda: db.Dense(2, db.ReLU), "make an instance", "db.ReLU()"),
    "activation-layer": (lambda: db.Dense(2, db.Dense(3)), "an activation", "is a layer"),
    "activation-function": (lambda: db.Dense(2, np.tanh), "Dense.activation", "For example: db."),
    "activation-misspelt": (lambda: db.Dense(2, "rellu"), "'rellu'", "'relu'"),
    "units-class": (lambda: db.Dense(int), "Dense.units", "int"),
    "units-input": (lambda: db.Dense(2)(db.Input), "Dense", "the class"),
    "initializer-class": (
        lambda: db.Dense(2, kernel_initializer=db.HeNormal),
        "make an instance",
        "db.HeNormal()",
    ),
    "initializer-function": (
        lambda: db.Dense(2, kernel_initializer=min),
        "Dense",
        "For example: db.",
    ),
    "regularizer-number": (lambda: db.Dense(2, kernel_regularizer=0.1), "a regularizer", "0.1"),
    "constraint-text": (lambda: db.Dense(2, kernel_constraint="max"), "'max'", "Known"),
    "misspelt-field": (lambda: db.Dense(2, activaton="relu"), "activaton", "mean activation?"),
    "keras-field": (lambda: db.Dense(2, input_shape=(3,)), "input_shape", "Dense takes"),
    "too-many-fields": (lambda: db.Flatten(1, 2, 3, 4, 5, 6), "unknown argument", "Flatten"),
    "missing-field": (lambda: db.Dense(), "missing argument", "units"),
    "sequential-layer": (lambda: db.Sequential(db.Dense(2)), "a list of layers", "Input"),
    "sequential-class": (lambda: db.Sequential([inputs(), db.Flatten]), "[1]", "not a layer"),
    "sequential-function": (lambda: db.Sequential([inputs(), abs]), "[1]", "not a layer"),
    "sequential-several": (
        lambda: db.Sequential([inputs(), db.GaussianSampling()]),
        "takes 2 inputs: mean, log_variance",
        "got 1",
    ),
    "model-no-call": (lambda: db.Model(inputs(), db.Dense(2)), "a Model needs Inputs", "Dense"),
    "input-number": (lambda: db.Input(3), "Input.shape", "3"),
    "input-dtype": (lambda: db.Input((3,), dtype=np.float32), "Input.dtype", "float32"),
    "rate-text": (lambda: db.SGD("fast"), "a list with the value of every step", "'fast'"),
    "rate-negative": (lambda: db.SGD(-0.1), "SGD.learning_rate", "greater than or equal to 0"),
    "rate-list-negative": (lambda: db.SGD([0.1, -0.1]), "SGD.learning_rate", "-0.1"),
    "rate-too-large": (lambda: db.SGD(1e39), "SGD.learning_rate", "is infinite in float32"),
    "epsilon-too-large": (lambda: db.Adam(epsilon=-1e39), "Adam.epsilon", "-1e+39"),
    "rate-none": (lambda: db.Adam(None), "a number, a schedule", "None"),
    "rate-class": (lambda: db.SGD(db.CosineDecay), "make an instance", "db.CosineDecay(…)"),
    "rate-live": (lambda: db.SGD(foreign("CosineDecay")), "from keras", "db.CosineDecay(…)"),
    "rate-empty": (lambda: db.SGD([]), "SGD.learning_rate", "at least 1"),
    "rate-list-of-text": (lambda: db.SGD(["a"]), "SGD.learning_rate", "'a'"),
    "rate-matrix": (lambda: db.SGD(np.ones((2, 2))), "SGD.learning_rate", "number"),
    "rate-of-schedule": (lambda: db.PerEpoch("x", 3), "PerEpoch.schedule", "'x'"),
    "decay-text": (lambda: db.SGD(0.1, weight_decay="l2"), "a weight decay", "'l2'"),
    "loss-scale-zero": (lambda: db.SGD.mindspore(loss_scale=0), "loss_scale", "above 0"),
    "from-native-class": (lambda: db.optimizers.from_native(db.SGD), "from_native", "SGD"),
    "json-number": (lambda: db.Experiment.from_json("3"), "not an experiment", "to_json"),
    "json-none": (lambda: db.Experiment.from_json(None), "not JSON", "to_json"),
    "dict-list": (lambda: db.SGD.from_dict([1]), "expected", "kind"),
}

CALLS = {
    "array-to-model": (lambda: model()(X), "an array of shape (8, 4, 3)", "compile(experiment)"),
    "array-to-layer": (lambda: db.Dense(2)(X), "an array of shape", "compile(experiment).predict"),
    "list-to-layer": (lambda: db.Dense(2)([1.0, 2.0]), "Dense", "called only on Inputs"),
    "layer-to-layer": (
        lambda: db.Dense(2)(db.Dense(3)),
        "Dense",
        "Call that layer on an Input first",
    ),
    "nothing": (lambda: db.Dense(2)(), "takes 1 input: x", "got 0"),
    "one-too-many": (
        lambda: db.BatchNormalization()(inputs(), inputs()),
        "takes 1 input: x",
        "got 2",
    ),
    "three-to-lstm": (lambda: db.LSTM(2)(*[inputs()] * 3), "takes 2 inputs", "mask"),
    "initial-state": (lambda: db.LSTM(2)(inputs(), initial_state=1), "initial_state", "got 1"),
    "training": (lambda: db.Dropout(0.5)(inputs(), training=True), "training", "fit uses training"),
    "mask": (lambda: db.LSTM(2)(inputs(), mask=1), "mask", "layer(x, mask)"),
    "model-training": (lambda: model()(inputs(), training=False), "training", "Leave it out"),
    "compile-parts": (lambda: db.compile(model(), loss="mse"), "loss", "db.Experiment("),
    "compile-model": (lambda: db.compile(model()), "compile takes an Experiment", "Sequential"),
    "compile-class": (lambda: db.compile(db.Experiment), "the class Experiment", "Experiment("),
    "compile-nothing": (lambda: db.compile(), "missing argument experiment", "Experiment("),
    "native-unknown": (lambda: db.SGD.keras(lr=0.1), "lr=0.1", "learning_rate"),
    "native-clipnorm": (lambda: db.Adam.keras(clipnorm=1.0), "clipnorm", "ClipByNorm"),
    "native-params": (lambda: db.SGD.mindspore(params=[]), "params", "frozen"),
    "native-layers": (lambda: db.LSTM.mindspore(3, num_layers=2), "num_layers", "one layer after"),
    "monitor": (
        lambda: db.Checkpoint("a.safetensors", monitor="loss"),
        "monitor",
        "ModelCheckpoint",
    ),
    "best-only": (lambda: db.Checkpoint("a", save_best_only=True), "save_best_only", "Model"),
    "softmax-text": (lambda: db.Softmax()("abc"), "needs an array of numbers", "'abc'"),
    "loss-one": (lambda: db.MeanSquaredError()([1.0]), "missing", "y_pred"),
    "loss-shapes": (lambda: db.MeanSquaredError()([1.0], [[1.0]]), "needs shape", "labels first"),
    "loss-range": (lambda: db.BinaryCrossentropy()([2.0], [0.5]), "y_true[0]", "1 or less"),
    "loss-classes": (
        lambda: db.SparseCategoricalCrossentropy()([0.5], [[0.5, 0.5]]),
        "class numbers",
        "0.5",
    ),
    "metric-weights": (lambda: db.Accuracy()([1], [[0.0, 1.0]], [1.0, 2.0]), "sample_weight", "1"),
    "metric-scalar": (lambda: db.BinaryAccuracy()(1, 1), "one row per example", "list"),
}

FITS = {
    "load-nothing": (lambda run: db.load(), "missing argument path", "load takes path"),
    "load-elsewhere": (lambda run: db.load("a", custom_objects={}), "custom_objects", "import"),
    "no-labels": (lambda run: run.fit(X), "missing argument y", "NumPy arrays"),
    "generator": (lambda run: run.fit((i for i in range(3)), Y), "y", "each batch is (x, y)"),
    "generator-alone": (lambda run: run.fit(i for i in range(3)), "batch 1", "(x, y)"),
    "data-set": (lambda run: run.fit(foreign("Dataset"), Y), "a Dataset of keras", "batches"),
    "text": (lambda run: run.fit("mnist", Y), "'mnist'", "NumPy array"),
    "none": (lambda run: run.fit(None, Y), "got None", "NumPy array"),
    "set": (lambda run: run.fit({1, 2}, Y), "a set", "NumPy array"),
    "objects": (lambda run: run.fit(X.astype(object), Y), "dtype object", "np.asarray(x, float)"),
    "missing-values": (lambda run: run.fit([[None]], Y), "None in it", "to numbers"),
    "words": (lambda run: run.fit(X, np.full((8, 2), "cat")), "'cat'", "to numbers"),
    "unreadable": (lambda run: run.fit(_Frame(), Y), "RuntimeError", "detach"),
    "weights-generator": (
        lambda run: run.fit(X, Y, sample_weight=(1 for _ in X)),
        "sample_weight",
        "a generator",
    ),
    "split": (lambda run: run.fit(X, Y, validation_split=1.5), "validation_split", "between 0"),
    "split-nothing": (lambda run: run.fit(X, Y, validation_split=0.999), "no examples", "8"),
    "split-twice": (
        lambda run: run.fit(X, Y, validation_data=(X, Y), validation_split=0.5),
        "validation_split",
        "not both",
    ),
    "frequency": (lambda run: run.fit(X, Y, validation_freq=0), "validation_freq", "above 0"),
    "first-epoch": (lambda run: run.fit(X, Y, initial_epoch=3), "initial_epoch", "Leave it out"),
    "steps-of-epoch": (lambda run: run.fit(X, Y, steps_per_epoch=0), "steps_per_epoch", "above 0"),
    "follows-validation": (
        lambda run: run.fit(X, Y, callbacks=[db.EarlyStopping()]),
        "needs validation data",
        "EarlyStopping.monitor",
    ),
    "follows-nothing": (
        lambda run: run.fit(X, Y, callbacks=[db.EarlyStopping("lss")], verbose=0),
        "no loss or metric",
        "loss",
    ),
    "verbose": (lambda run: run.fit(X, Y, verbose=3), "verbose", "a line for each epoch"),
    "misspelt": (lambda run: run.fit(X, Y, epoch=3), "epoch=3", "epochs"),
    "too-many": (lambda run: run.fit(X, Y, 1, 2, None, 3), "too many arguments", "batch_size"),
    "twice": (lambda run: run.fit(X, Y, x=X), "given twice", "x"),
    "epochs-text": (lambda run: run.fit(X, Y, epochs="3"), "epochs", "whole number"),
    "batch-zero": (lambda run: run.fit(X, Y, 0), "batch_size", "above 0"),
    "validation-array": (lambda run: run.fit(X, Y, validation_data=X[:2]), "validation_data", "("),
    "validation-number": (
        lambda run: run.fit(X, Y, validation_data=0.2),
        "(inputs, labels)",
        "(x, y)",
    ),
    "callback-alone": (
        lambda run: run.fit(X, Y, callbacks=db.Checkpoint("a.safetensors")),
        "a list of callbacks",
        "callbacks=[Checkpoint(…)]",
    ),
    "callback-class": (
        lambda run: run.fit(X, Y, callbacks=[db.Checkpoint]),
        "Give an instance, not the class",
        "class",
    ),
    "callback-live": (
        lambda run: run.fit(X, Y, callbacks=[foreign("EarlyStopping")]),
        "callbacks[0]",
        "dnnbridge.Callback",
    ),
    "callback-text": (lambda run: run.fit(X, Y, callbacks="early"), "callbacks", "'early'"),
    "evaluate-steps": (lambda run: run.evaluate(X, Y, steps=3), "steps=3", "fewer"),
    "evaluate-x": (lambda run: run.evaluate(X), "missing argument y", "run.evaluate(x, y)"),
    "predict-verbose": (lambda run: run.predict(X, verbose=0), "verbose", "prints nothing"),
    "predict-model": (lambda run: run.predict(model()), "x", "a Sequential of dnnbridge"),
    "parameters-list": (lambda run: run.set_parameters([1]), "parameters", "by name"),
    "parameters-text": (
        lambda run: run.set_parameters({"dense/kernel": "a"}),
        "parameters['dense/kernel']",
        "floating",
    ),
    "parameters-ragged": (
        lambda run: run.set_parameters({"dense/kernel": [[1], [2, 3]]}),
        "parameters['dense/kernel']",
        "needs an array",
    ),
    "weights-list": (
        lambda run: run.set_weights([X]),
        "weights: needs a dictionary of arrays",
        "by name",
    ),
    "state-none": (
        lambda run: run.set_state(None, run.position),
        "state: needs a dictionary",
        "None",
    ),
    "state-step": (lambda run: run.set_state(run.state(), 3), "position: must be a Position", "3"),
    "state-alone": (lambda run: run.set_state(run.state()), "missing argument position", "takes"),
    "state-sums": (
        lambda run: run.set_state(run.state(), run.position, None, 3),
        "epoch_sums",
        "got 3",
    ),
    "other-experiment": (lambda run: run.with_experiment(model()), "an Experiment", "db.compile"),
    "class-weight-number": (lambda run: run.fit(X, Y, class_weight=1), "class_weight", "one class"),
    "shuffle-text": (lambda run: run.fit(X, Y, shuffle="no"), "shuffle", "True or False"),
    "verbose-text": (lambda run: run.fit(X, Y, verbose="yes"), "verbose", "'yes'"),
    "training-text": (lambda run: run.predict(X, training="a"), "training", "True or False"),
    "steps-none": (lambda run: run.fit(X, Y, steps_per_call=None), "steps_per_call", '"auto"'),
    "every-text": (lambda run: db.Checkpoint("a.safetensors", every="1"), "every", "'1'"),
    "every-zero": (lambda run: db.Checkpoint("a.safetensors", every=0), "every", "above 0"),
    "path-none": (lambda run: run.save(None), "path of a file", "got None"),
    "path-zero": (lambda run: run.save("a\0b"), "path of a file", "zero character"),
    "path-long": (lambda run: run.save("a" * 300), "too long", "path"),
    "load-none": (lambda run: db.load(None), "path of a file", "got None"),
    "ragged": (lambda run: db.Softmax()([[1, 2], [3]]), "an array of numbers", "[[1, 2], [3]]"),
    "activation-alone": (lambda run: db.Softmax()(), "an activation", "missing argument x"),
    "rate": (lambda run: run.set_learning_rate("fast"), "learning_rate", "'fast'"),
}


def check(call, words) -> None:
    with pytest.raises(DnnbridgeError) as caught:
        call()
    assert isinstance(caught.value, (SpecError, ArgumentError, DTypeError, DataError, ValueError))
    for word in words:
        assert word in str(caught.value), str(caught.value)
    assert "\n" not in str(caught.value)
    assert "pydantic" not in str(caught.value)


@pytest.mark.parametrize("name", SPECS)
def test_a_wrong_field_is_named(name):
    call, *words = SPECS[name]
    check(call, words)


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call_is_named(name):
    call, *words = CALLS[name]
    check(call, words)


@pytest.mark.parametrize("name", FITS)
def test_a_wrong_argument_of_a_run_is_named_and_nothing_is_trained(name, run):
    call, *words = FITS[name]
    check(lambda: call(run), words)
    assert run.position.step == 0


ODD = [None, object(), object, "none such", -1, [], {}, np.ones((2, 2)), 1j, float("nan"), abs]


def examples() -> dict[str, db.Spec]:
    """Return a spec of every kind that has a case in the suite."""
    made = [case.spec for case in EQUATION_CASES] + [case.optimizer for case in OPTIMIZER_CASES]
    made += [case.schedule for case in SCHEDULE_CASES] + [experiment(), inputs()]
    found = {kind_of(type(inner)): inner for each in made for inner in specs_in(each)}
    return {kind: spec for kind, spec in found.items() if not kind.startswith("test")}


@pytest.mark.parametrize("example", examples().values(), ids=examples())
def test_no_field_of_any_spec_gives_a_raw_error(example):
    """Any value in any field is accepted, or refused with an error of dnnbridge."""
    names = [field.name for field in dataclasses.fields(example)]
    for value in ODD:
        for name in names:
            _only_ours(lambda name=name, value=value: example.replace(**{name: value}))
        _only_ours(lambda value=value: type(example)(*[value] * len(names)))
    with pytest.raises(SpecError, match="unknown argument"):
        type(example)(no_such_field=1)


def _only_ours(call) -> None:
    with contextlib.suppress(DnnbridgeError):
        call()


def test_activation_none_is_linear():
    assert db.Dense(2, None) == db.Dense(2, "linear") == db.Dense(2)


NAMES = {
    "sgd": db.SGD,
    "adam": db.Adam,
    "adamw": db.AdamW,
    "rmsprop": db.RMSprop,
    "Nadam": db.Nadam,
}


@pytest.mark.parametrize("name", NAMES)
def test_an_optimizer_by_name_is_that_of_keras(name):
    assert experiment(optimizer=name).optimizer == NAMES[name].keras()
    assert db.Experiment.from_json(experiment(optimizer=name).to_json()).optimizer


LOSSES = ["mse", "MSE", "mean_squared_error", "MeanSquaredError"]


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_by_name(name):
    assert experiment(loss=name).loss == db.MeanSquaredError()
    (metric,) = experiment(metrics=[name]).metrics
    assert metric == db.LossMetric(db.MeanSquaredError())

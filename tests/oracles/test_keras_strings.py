"""dnnbridge accepts the strings that Keras accepts, and they mean the same class."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

import dnnbridge as db
from dnnbridge.errors import SpecError
from dnnbridge.specs.spec import Spec, kinds, names_of


def loss_of(metric: Any) -> Any:
    return getattr(metric, "loss", metric)


def experiment(**changes: Any) -> db.Experiment:
    model = db.Sequential([db.Input((4,)), db.Dense(3)])
    return db.Experiment(**{"model": model, "loss": "mse", "optimizer": "sgd"} | changes)


TAKEN: dict[str, Callable[[str], Spec]] = {
    "activations": lambda name: db.Dense(3, name).activation,
    "initializers": lambda name: db.Dense(3, kernel_initializer=name).kernel_initializer,
    "regularizers": lambda name: db.Dense(3, kernel_regularizer=name).kernel_regularizer,
    "constraints": lambda name: db.Dense(3, kernel_constraint=name).kernel_constraint,
    "losses": lambda name: db.Head("a", name).loss,
    "metrics": lambda name: loss_of(db.Head("a", "mse", metrics=[name]).metrics[0]),
    "optimizers": lambda name: experiment(optimizer=name).optimizer,
}
"""Functions that convert a name as a field does, by the namespace of Keras with such a `get`."""

OTHERS = {
    "activations": ("swish", "hard_silu"),
    "initializers": ("zero", "one", "normal", "uniform"),
    "regularizers": ("l1_l2", "l1l2"),
    "losses": ("MSE", "mae", "Mape", "MSLE", "KLD", "bce", "BCE"),
    "metrics": ("mse", "MAE", "mape", "msle", "bce", "BCE"),
    "optimizers": ("adam", "sgd", "rmsprop", "ADAMW", "lars", "lamb"),
}
"""Names that Keras accepts besides those of its classes and functions."""

CALLED = {
    "identityinitializer": "identity",
    "orthogonalinitializer": "orthogonal",
    "hardsilu": "hardswish",
    "swish": "silu",
    "sparsecategoricalaccuracy": "accuracy",
    "categoricalaccuracy": "accuracy",
    "sparsetopkcategoricalaccuracy": "topkcategoricalaccuracy",
    "logcosherror": "logcosh",
}
"""Classes of Keras that have another name here."""

NOT_BY_NAME = {"CTC": "its padding must be said", "Threshold": "so must its threshold"}
"""Classes that need an argument here, so a name is not enough."""


def plain(name: str) -> str:
    return name.replace("_", "").lower()


def class_of(keras: Any, space: str, name: str) -> str | None:
    """Return our name for the class or function that Keras finds under a name."""
    try:
        found = getattr(keras, space).get(name)
    except (ValueError, TypeError, KeyError):
        return None
    found = found if inspect.isclass(found) or inspect.isfunction(found) else type(found)
    called = plain(found.__name__)
    return CALLED.get(called, called)


def ours(space: str) -> dict[str, type[Spec]]:
    """Return the classes of a namespace by their names."""
    bases = {
        "activations": (db.AbstractActivation,),
        "initializers": (db.AbstractInitializer,),
        "regularizers": (db.AbstractRegularizer,),
        "constraints": (db.AbstractConstraint,),
        "losses": (db.AbstractLoss,),
        "metrics": (db.AbstractLoss, db.AbstractMetric),
        "optimizers": (db.AbstractOptimizer,),
    }[space]
    known = [cls for base in bases for cls in kinds(base) if cls.__module__.startswith("dnnb")]
    found = {plain(cls.__name__): cls for cls in known if cls.__name__ not in NOT_BY_NAME}
    if space == "metrics":  # Keras has a metric and a loss of this name
        found["cosinesimilarity"] = db.CosineSimilarityMetric
    return found


@pytest.mark.parametrize("space", TAKEN)
def test_a_name_that_keras_takes_is_that_of_the_same_class(space):
    keras = pytest.importorskip("keras")
    public = [name for name in dir(getattr(keras, space)) if not name.startswith("_")]
    known, seen = ours(space), set()
    for name in (*public, *OTHERS.get(space, ())):
        cls = known.get(class_of(keras, space, name) or "")
        if cls is not None:
            assert type(TAKEN[space](name)) is cls, name
            seen.add(name)
    assert len(seen) >= {"regularizers": 8, "constraints": 6, "optimizers": 12}.get(space, 20)


@pytest.mark.parametrize("space", TAKEN)
def test_the_names_of_a_class_stand_for_it_in_any_spelling(space):
    required = inspect.Parameter.empty
    for cls in ours(space).values():
        if all(p.default is not required for p in inspect.signature(cls).parameters.values()):
            for name in (cls.__name__, *names_of(cls)):
                assert type(TAKEN[space](name)) is cls, name
                assert type(TAKEN[space](name.upper())) is cls, name


def of_convolution(**fields: Any) -> db.Conv1D:
    return db.Conv1D(2, 3, **fields)


WORDS = {
    "padding": (
        lambda keras, word: keras.layers.Conv1D(2, 3, padding=word),
        lambda word: of_convolution(padding=word),
        ("valid", "same", "causal", "SAME", "Valid"),
    ),
    "data_format": (
        lambda keras, word: keras.layers.Conv1D(2, 3, data_format=word),
        lambda word: of_convolution(data_format=word),
        ("channels_last", "channels_first", "CHANNELS_LAST"),
    ),
    "merge_mode": (
        lambda keras, word: keras.layers.Bidirectional(keras.layers.LSTM(2), merge_mode=word),
        lambda word: db.Bidirectional(db.LSTM(2), merge_mode=word),
        ("sum", "mul", "concat", "ave"),
    ),
    "recurrent_activation": (
        lambda keras, word: keras.layers.GRU(2, recurrent_activation=word),
        lambda word: db.GRU(2, recurrent_activation=word),
        ("sigmoid", "hard_sigmoid", "tanh"),
    ),
    "recurrent_initializer": (
        lambda keras, word: keras.layers.LSTM(2, recurrent_initializer=word),
        lambda word: db.LSTM(2, recurrent_initializer=word),
        ("orthogonal", "glorot_uniform"),
    ),
    "embeddings": (
        lambda keras, word: keras.layers.Embedding(3, 2, embeddings_initializer=word),
        lambda word: db.Embedding(3, 2, embeddings_initializer=word),
        ("uniform", "random_uniform", "normal"),
    ),
    "activity_regularizer": (
        lambda keras, word: keras.layers.Dense(2, activity_regularizer=word),
        lambda word: db.Dense(2, activity_regularizer=word),
        ("l1", "l2", "L1L2"),
    ),
    "interpolation": (
        lambda keras, word: keras.layers.UpSampling2D(2, interpolation=word),
        lambda word: db.UpSampling2D(2, interpolation=word),
        ("nearest", "bilinear"),
    ),
    "dtype": (
        lambda keras, word: keras.Input((4,), dtype=word),
        lambda word: db.Input((4,), dtype=word),
        ("float32", "int32", "bool"),
    ),
    "mode": (
        lambda keras, word: keras.initializers.VarianceScaling(1.0, word),
        lambda word: db.VarianceScaling(1.0, word),
        ("fan_in", "fan_out", "fan_avg"),
    ),
    "distribution": (
        lambda keras, word: keras.initializers.VarianceScaling(1.0, distribution=word),
        lambda word: db.VarianceScaling(1.0, distribution=word),
        ("uniform", "truncated_normal", "untruncated_normal"),
    ),
    "reduction": (
        lambda keras, word: keras.losses.MeanSquaredError(reduction=word),
        lambda word: db.MeanSquaredError(reduction=word),
        ("sum", "mean", "sum_over_batch_size", "mean_with_sample_weight"),
    ),
    "curve": (
        lambda keras, word: keras.metrics.AUC(curve=word),
        lambda word: db.AUC(curve=word),
        ("ROC", "PR"),
    ),
    "average": (
        lambda keras, word: keras.metrics.F1Score(average=word),
        lambda word: db.F1Score(average=word),
        ("micro", "macro"),
    ),
}


@pytest.mark.parametrize("field", WORDS)
def test_a_word_that_keras_takes_is_taken(field):
    keras = pytest.importorskip("keras")
    theirs, make, words = WORDS[field]
    for word in words:
        theirs(keras, word)
        make(word)
    with pytest.raises(SpecError, match=r".*\.\w+: "):
        make("nothing")


def test_other_spellings_are_the_same_spec():
    assert of_convolution(padding="SAME") == of_convolution(padding="same")
    assert of_convolution(data_format="Channels_Last") == of_convolution()
    assert db.Hinge(reduction="sum_over_batch_size") == db.Hinge()
    weighted = db.Hinge(reduction="weighted_mean")
    assert db.Hinge(reduction="mean_with_sample_weight") == weighted
    normal = db.VarianceScaling(distribution="normal")
    assert db.VarianceScaling(distribution="untruncated_normal") == normal

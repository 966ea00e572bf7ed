"""Masks of time steps: models of Keras with `mask_zero`, `Masking` and masks in calls."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ConversionError, ShapeError

keras = pytest.importorskip("keras")
layers = keras.layers

pytestmark = pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask")

RNG = np.random.default_rng(0)
WORDS = RNG.integers(1, 9, (6, 5))
WORDS[0, 3:] = WORDS[1, 1:] = WORDS[2, 4:] = WORDS[3, 0] = 0
STEPS = RNG.normal(size=(6, 5, 3)).astype("float32")
STEPS[0, 3:] = STEPS[2, 1:] = 0.0
Y = RNG.normal(size=(6, 2)).astype("float32")


def rows(**given):
    return layers.Embedding(9, 4, mask_zero=True, **given)


def sequence(*more):
    return keras.Sequential([keras.Input((5,), dtype="int32"), rows(), *more, layers.Dense(2)])


def graph(function):
    x = keras.Input((5,), dtype="int32")
    return keras.Model(x, layers.Dense(2)(function(x)))


def mean(x):
    return layers.GlobalAveragePooling1D()(x)


def transformer(x):
    e = rows()(x)
    seen = layers.Add()([e, layers.MultiHeadAttention(2, 3)(e, e)])
    return mean(layers.LayerNormalization()(seen))


def dropped(x):
    """With dropout, the weights of a query that is padding are 0."""
    e = rows()(x)
    seen = layers.MultiHeadAttention(2, 3, dropout=0.3)(e, e)
    return layers.Flatten()(seen)


def operations(x):
    """Operations take the mask off."""
    e = rows()(x)
    return mean(keras.ops.relu(e * 0.5 + e))


def attentions(x):
    e = rows()(x)
    pair = [layers.Attention()([e, e]), layers.AdditiveAttention()([e, e])]
    return mean(layers.Concatenate()(pair))


def joined(axis):
    def function(x):
        both = [rows()(x), layers.Embedding(9, 4)(x)]
        return layers.LSTM(3)(layers.Concatenate(axis=axis)(both))

    return function


def nested(x):
    steps = [keras.Input((5, 4)), layers.Dense(4), layers.GRU(3, return_sequences=True)]
    return layers.LSTM(3)(keras.Sequential(steps)(rows()(x)))


def nested_words(x):
    inner = keras.Sequential([keras.Input((5,), dtype="int32"), rows(), layers.Dense(4)])
    return layers.LSTM(3)(inner(x))


def explicit(x):
    return layers.LSTM(3)(layers.Embedding(9, 4)(x), mask=keras.ops.not_equal(x, 3))


def passed_on(x):
    """A mask given by hand goes on to the layers after it, and an operation takes it off."""
    seen = keras.ops.logical_and(keras.ops.not_equal(x, 0), keras.ops.less(x, 7))
    h = layers.LSTM(3, return_sequences=True)(layers.Embedding(9, 4)(x), mask=seen)
    both = layers.GRU(3)(layers.Dense(3, "tanh")(h))
    return layers.Concatenate()([both, mean(h), mean(h * 1.0)])


def another(x):
    """A mask by hand takes the place of that of the input; compute_mask makes one."""
    e = rows()(x)
    kept = layers.Masking().compute_mask(keras.ops.expand_dims(keras.ops.cast(x, "float32"), 2))
    return layers.GRU(3)(layers.SimpleRNN(3, return_sequences=True)(e, mask=kept), mask=x > 2)


def of_pairs(x):
    """Masks of pairs, of keys, of queries and values, with and without a causal mask."""
    e = layers.Embedding(9, 4)(x)
    real = keras.ops.not_equal(x, 0)
    pairs = keras.ops.equal(x[:, :, None], x[:, None, :])
    h = layers.MultiHeadAttention(2, 3)(e, e, attention_mask=pairs, use_causal_mask=True)
    h = layers.MultiHeadAttention(2, 3)(h, e, attention_mask=real[:, None, :])
    h = layers.MultiHeadAttention(2, 3, dropout=0.0)(h, e, query_mask=real, value_mask=x > 1)
    h = layers.GroupQueryAttention(2, 2, 1)(h, rows()(x), attention_mask=pairs)
    h = layers.Attention()([h, e], mask=[None, real])
    return mean(layers.AdditiveAttention()([h, e], mask=[keras.ops.logical_not(x > 5), real]))


def arithmetic(x):
    """Masks as numbers, and numbers as masks."""
    e = layers.Embedding(9, 4)(x)
    real = keras.ops.cast(keras.ops.not_equal(x, 0), "float32")
    some = keras.ops.any(keras.ops.greater_equal(e, 0.03), axis=-1)
    h = layers.LSTM(3, return_sequences=True)(e * real[:, :, None], mask=real)
    count = keras.ops.sum(real, axis=1, keepdims=True)
    total = keras.ops.sum(h * keras.ops.cast(some, "float32")[:, :, None], axis=1)
    return layers.Concatenate()([total / count, mean(layers.Dense(2)(h))])


def masking():
    steps = [layers.Masking(), layers.LSTM(4, return_sequences=True)]
    return keras.Sequential(
        [keras.Input((5, 3)), *steps, layers.GlobalAveragePooling1D(), layers.Dense(2)]
    )


def bidirectional():
    return sequence(
        layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        layers.Bidirectional(layers.GRU(3)),
    )


MODELS = {
    "LSTM": lambda: sequence(layers.LSTM(3)),
    "two": lambda: sequence(layers.GRU(3, return_sequences=True), layers.SimpleRNN(3)),
    "Bidirectional": bidirectional,
    "statistics": lambda: sequence(layers.BatchNormalization(), layers.LSTM(3)),
    "convolution": lambda: sequence(layers.Conv1D(3, 2), layers.GlobalAveragePooling1D()),
    "steps": lambda: sequence(
        layers.TimeDistributed(layers.Dense(3)), layers.LSTM(3, go_backwards=True)
    ),
    "zeros": lambda: sequence(
        layers.LSTM(3, return_sequences=True, zero_output_for_mask=True), layers.Flatten()
    ),
    "transformer": lambda: graph(transformer),
    "dropped": lambda: graph(dropped),
    "operations": lambda: graph(operations),
    "attentions": lambda: graph(attentions),
    "features": lambda: graph(joined(-1)),
    "time": lambda: graph(joined(1)),
    "nested": lambda: graph(nested),
    "nested_words": lambda: graph(nested_words),
    "explicit": lambda: graph(explicit),
    "Masking": masking,
    "passed_on": lambda: graph(passed_on),
    "another": lambda: graph(another),
    "of_pairs": lambda: graph(of_pairs),
    "arithmetic": lambda: graph(arithmetic),
}


def quick(names, *slow):
    """Return parameters, of which the last are in the long form only."""
    return [*names, *(pytest.param(name, marks=pytest.mark.slow) for name in slow)]


RARE = ("another", "arithmetic")


@pytest.mark.parametrize("name", quick([n for n in MODELS if n not in RARE], *RARE))
def test_a_model_with_masks_predicts_and_trains_as_in_keras(name):
    model = MODELS[name]()
    x = STEPS if name == "Masking" else WORDS
    model.compile(keras.optimizers.SGD(0.1), "mse")
    run = db.from_keras(model).compile("reference")
    np.testing.assert_allclose(run.predict(x), model.predict(x, verbose=0), atol=1e-6)
    if name == "dropped":
        return
    given = {"batch_size": 3, "epochs": 4, "shuffle": False}
    theirs = model.fit(x, Y, **given, verbose=0).history["loss"]
    ours = run.fit(x, Y, **given, verbose=0).history["loss"]
    np.testing.assert_allclose(ours, theirs, rtol=2e-6)


@pytest.mark.parametrize(
    "name",
    quick(
        ["Bidirectional", "transformer", "operations", "nested_words", "Masking", "passed_on"],
        *("explicit", "another", "of_pairs", "arithmetic"),
    ),
)
def test_a_model_with_masks_goes_back_to_keras(name):
    model = MODELS[name]()
    x = STEPS if name == "Masking" else WORDS
    model.compile("sgd", "mse")
    back = db.to_keras(db.from_keras(model).compile("reference"))
    np.testing.assert_allclose(back.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)


TAGS = RNG.integers(0, 3, (6, 5))
CURVES = RNG.normal(size=(6, 5, 2)).astype("float32")
TAGGED = {
    "numbers": (2, CURVES, "mse", ["mae"]),
    "classes": (3, TAGS, "sparse_categorical_crossentropy", ["accuracy"]),
    "sum": (2, CURVES, keras.losses.MeanAbsoluteError(reduction="sum"), ["mse"]),
}


def of_each_step(width):
    softmax = "softmax" if width == 3 else None
    steps = [layers.GRU(3, return_sequences=True), layers.Dense(width, softmax)]
    return keras.Sequential([keras.Input((5,), dtype="int32"), rows(), *steps])


@pytest.mark.parametrize("name", TAGGED)
@pytest.mark.parametrize("backend", ["reference", "tensorflow", "mindspore"])
def test_a_mask_that_reaches_the_output_leaves_steps_out_of_loss_and_metrics(name, backend):
    if backend != "reference" and name != "classes":
        pytest.skip("one of them is enough")
    width, y, loss, metrics = TAGGED[name]
    model = of_each_step(width)
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=metrics)
    run = db.from_keras(model).compile(backend)
    given = {"batch_size": 6, "epochs": 4, "shuffle": False}  # one batch an epoch
    theirs = model.fit(WORDS, y, **given, verbose=0).history
    ours = run.fit(WORDS, y, **given).history
    for label, values in ours.items():
        wanted = theirs[
            {"mean_absolute_error": "mae", "mean_squared_error": "mse"}.get(label, label)
        ]
        np.testing.assert_allclose(values, wanted, rtol=3e-6, err_msg=label)


def test_a_sum_over_all_steps_is_read_and_written():
    x = RNG.normal(size=(6, 5, 3)).astype("float32")
    model = keras.Sequential([keras.Input((5, 3)), layers.Dense(2)])
    loss = keras.losses.MeanSquaredError(reduction="sum")
    model.compile(keras.optimizers.SGD(0.01), loss)
    run = db.from_keras(model).compile("reference")
    back = db.to_keras(run)
    given = {"batch_size": 6, "epochs": 3, "shuffle": False}
    ours = run.fit(x, CURVES, **given).history["loss"]
    for each in (model, back):
        theirs = each.fit(x, CURVES, **given, verbose=0).history["loss"]
        np.testing.assert_allclose(ours, theirs, rtol=2e-6)
    plain = run.experiment.replace(loss=db.MeanSquaredError(reduction="sum"))
    with pytest.raises(ConversionError, match="Keras adds up all places"):
        db.to_keras(db.compile(plain, "reference"))


def test_weights_of_examples_and_a_mask_multiply():
    model = db.from_keras(of_each_step(2)).model
    run = db.compile(db.Experiment(model, "mse", db.SGD(0.1)), "reference")
    weights = RNG.random(6)
    real = (WORDS != 0).astype(float)
    errors = np.square(run.predict(WORDS) - CURVES).mean(-1)
    wanted = (weights[:, None] * real * errors).sum() / real.sum()
    found = run.evaluate(WORDS, CURVES, sample_weight=weights)["loss"]
    assert found == pytest.approx(wanted, rel=1e-6)


def test_r2_cannot_leave_steps_out():
    model = db.from_keras(of_each_step(2)).model
    with pytest.raises(ShapeError, match="the metric cannot leave out steps"):
        db.Experiment(model, "mse", db.SGD(0.1), metrics=["r2_score"]).program()


def with_truths():
    """Inputs of true and false are masks of steps and of pairs."""
    x, real = keras.Input((5, 3)), keras.Input((5,), dtype="bool", name="real")
    pairs = keras.Input((5, 5), dtype="bool", name="pairs")
    h = layers.MultiHeadAttention(2, 3)(x, x, attention_mask=pairs)
    h = layers.GRU(3, return_sequences=True)(h, mask=keras.ops.logical_and(real, pairs[:, 0]))
    scale = keras.ops.cast(real, "float32")[:, :, None]
    y = layers.Concatenate()([mean(h), layers.Flatten()(h * scale)])
    return keras.Model([x, real, pairs], layers.Dense(2)(y))


def test_inputs_of_true_and_false_are_masks_there_and_back():
    model = with_truths()
    model.compile(keras.optimizers.SGD(0.1), "mse")
    pairs = RNG.random((6, 5, 5)) > 0.3
    data = [STEPS, WORDS > 0, pairs | np.eye(5, dtype=bool)]
    run = db.from_keras(model).compile("reference")
    wanted = model.predict(data, verbose=0)
    np.testing.assert_allclose(run.predict(data), wanted, atol=1e-6)
    back = db.to_keras(run)
    np.testing.assert_allclose(back.predict(data, verbose=0), wanted, atol=1e-6)
    again = db.from_keras(back).compile("reference")
    np.testing.assert_allclose(again.predict(data), wanted, atol=1e-6)


def test_a_mask_that_keras_cannot_be_given_is_named():
    x, real = db.Input((5, 3)), db.Input((5,), "bool")
    masked = db.SetMask()(x, real)
    for y in (db.Add()(masked, masked), db.Dense(2)(masked)):
        run = db.compile(db.Experiment(db.Model([x, real], y), "mse", "sgd"), "reference")
        with pytest.raises(ConversionError, match="a mask given by hand that reaches"):
            db.to_keras(run)


def test_masks_as_inputs_of_layers_are_arguments_in_keras():
    x, real = db.Input((5, 3)), db.Input((5,))
    pairs = db.Input((5, 5))
    h = db.GRU(3, return_sequences=True)(x, real)
    h = db.MultiHeadAttention(2, 3, masked=True)(db.Unmask()(h), x, pairs)
    h = db.Attention(masked=True)(h, x, real)
    model = db.Model([x, real, pairs], db.GlobalAveragePooling1D()(h, real))
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    given = [STEPS, (WORDS > 0).astype("f4"), (RNG.random((6, 5, 5)) > 0.3).astype("f4")]
    back = db.to_keras(run)
    np.testing.assert_allclose(back.predict(given, verbose=0), run.predict(given), atol=1e-6)


OVERLAPS = {
    "whole batch": keras.losses.Dice(reduction="sum"),
    "each example": keras.losses.Tversky(axis=(1, 2), reduction="sum"),
}


@pytest.mark.parametrize("name", OVERLAPS)
def test_a_sum_of_overlaps_is_read_and_written(name):
    x = RNG.normal(size=(6, 5, 3)).astype("float32")
    model = keras.Sequential([keras.Input((5, 3)), layers.Dense(2, "sigmoid")])
    model.compile(keras.optimizers.SGD(0.1), OVERLAPS[name])
    run = db.from_keras(model).compile("reference")
    given = {"batch_size": 6, "epochs": 3, "shuffle": False}
    y = (CURVES > 0).astype("float32")
    ours = run.fit(x, y, **given).history["loss"]
    for each in (model, db.to_keras(db.from_keras(model).compile("reference"))):
        theirs = each.fit(x, y, **given, verbose=0).history["loss"]
        np.testing.assert_allclose(ours, theirs, rtol=2e-6)


def test_sums_of_overlaps_that_mean_something_else_in_keras_are_refused():
    model = keras.Sequential([keras.Input((5, 3)), layers.Dense(2, "sigmoid")])
    model.compile("sgd", keras.losses.Dice(axis=1, reduction="sum"))
    found = db.from_keras(model)
    assert "Keras adds up all places" in " ".join(found.report.notes)
    for loss in (db.Dice(reduction="sum"), db.Dice(1, reduction="sum")):
        run = found.replace(loss=loss).compile("reference")
        with pytest.raises(ConversionError, match="Keras adds up all places"):
            db.to_keras(run)

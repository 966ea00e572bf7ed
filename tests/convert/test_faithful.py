"""What a Keras model says is read, or refused by name: never read as something else."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ConversionError, DTypeError

keras = pytest.importorskip("keras")
layers = keras.layers

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
Y = np.random.default_rng(1).normal(size=(6, 3)).astype("float32")


def small(*more):
    return keras.Sequential([keras.Input((4,)), *more, layers.Dense(3)])


def of_two(names, shape=list):
    x = keras.Input((4,))
    outputs = {name: layers.Dense(3, name=name)(x) for name in names}
    return keras.Model(x, outputs if shape is dict else list(outputs.values()))


def compared(model, y=Y):
    """Train both for two epochs and return the losses, ours and Keras'."""
    run = db.from_keras(model).compile("reference")
    ours = run.fit(X, y, batch_size=2, epochs=2, shuffle=False).history["loss"]
    theirs = model.fit(X, y, batch_size=2, epochs=2, shuffle=False, verbose=0).history["loss"]
    return ours, theirs


def test_odd_names_of_outputs_keep_their_losses():
    model = of_two(["out-1", "b"])
    model.compile("sgd", {"out-1": "mse", "b": "mae"}, loss_weights={"out-1": 5.0, "b": 1.0})
    heads = db.from_keras(model).experiment.heads
    assert [(h.output, type(h.loss).__name__, h.weight) for h in heads] == [
        ("out_1", "MeanSquaredError", 5.0),
        ("b", "MeanAbsoluteError", 1.0),
    ]


def test_a_model_that_was_never_trained_has_no_note_about_its_optimizer(tmp_path):
    model = small()
    model.compile("adam", "mse")
    model.save(tmp_path / "model.keras")
    found = db.from_keras(tmp_path / "model.keras")
    assert found.report.notes == ()
    assert found.step == 0


class Dense(layers.Dense):
    def call(self, inputs, training=None):
        return super().call(inputs) * 10


Mine = keras.saving.register_keras_serializable("mine")(Dense)


class MyModel(keras.Model):
    def call(self, inputs, training=None):
        return super().call(inputs) * 5


def of_my_model():
    x = keras.Input((4,))
    return MyModel(x, layers.Dense(3)(x))


def partly_frozen():
    inner = keras.Sequential([keras.Input((4,)), layers.BatchNormalization(), layers.Dense(4)])
    inner.trainable = False
    inner.layers[0].trainable = True
    return small(inner)


def weighted():
    model = small()
    model.compile("sgd", "mse", loss_weights=[3.0])
    return model


REFUSED = {
    "class of the user": (lambda: small(Mine(4)), "mine>Dense"),
    "model of the user": (of_my_model, "not a Sequential or Functional model"),
    "trained in a frozen model": (partly_frozen, "trained in a model that is frozen"),
    "outputs by name": (lambda: of_two("ab", dict), "outputs as a dictionary"),
    "weight of one loss": (weighted, "loss of a single output"),
    "whole numbers": (lambda: small(layers.Rescaling(2.0, dtype="int32")), "dtype=int32"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_the_same_here_is_refused(name):
    make, words = REFUSED[name]
    with pytest.raises(ConversionError, match=words):
        db.from_keras(make())


def in_both():
    both = layers.Dense(4)
    inside = keras.Sequential([keras.Input((4,)), both], name="inside")
    x = keras.Input((4,))
    return keras.Model(x, both(inside(x)))


def divided_twice():
    x, layer = keras.Input((4,)), layers.SpectralNormalization(layers.Dense(4))
    return keras.Model(x, layer(layer(x)))


def divided_steps():
    steps = layers.TimeDistributed(layers.SpectralNormalization(layers.Dense(4)))
    return keras.Sequential([keras.Input((3, 4)), steps])


def divided_within():
    x, inner = keras.Input((4,)), small(layers.SpectralNormalization(layers.Dense(4)))
    return keras.Model(x, inner(layers.Dense(4)(inner(x))))


def embedded():
    words = keras.Input((4,), dtype="int32")
    return keras.Model(words, layers.SpectralNormalization(layers.Embedding(9, 2))(words))


def still_divided():
    return small(layers.SpectralNormalization(layers.Dense(4), trainable=False))


def penalised_steps():
    steps = layers.TimeDistributed(layers.Dense(2, activity_regularizer="l2"))
    return keras.Sequential([keras.Input((3, 4)), steps])


MORE_REFUSED = {
    "layer in both": (in_both, "dense.*: a layer that is also "),
    "divided twice": (divided_twice, "a second call of SpectralNormalization"),
    "divided at steps": (divided_steps, "TimeDistributed of SpectralNormalization"),
    "divided within": (divided_within, "a second call of SpectralNormalization"),
    "divided embedding": (embedded, "SpectralNormalization of an Embedding"),
    "frozen and divided": (still_divided, "a frozen SpectralNormalization"),
    "ignored penalty": (penalised_steps, "which Keras ignores"),
    "nothing": (lambda: keras.Sequential([]), "a Sequential without layers"),
    "only an input": (lambda: keras.Sequential([keras.Input((4,))]), "a Sequential without layers"),
}


@pytest.mark.parametrize("name", MORE_REFUSED)
def test_what_has_no_meaning_here_is_refused(name):
    make, words = MORE_REFUSED[name]
    with pytest.raises(ConversionError, match=words):
        db.from_keras(make())


@pytest.mark.parametrize("suffix", ["weights.h5", "h5"])
def test_arrays_of_more_layers_are_refused(suffix, tmp_path):
    bigger = small(layers.Dense(4), layers.BatchNormalization())
    bigger.compile("adam", "mse")
    bigger.fit(X, Y, verbose=0)
    save = bigger.save if suffix == "h5" else bigger.save_weights
    save(tmp_path / f"bigger.{suffix}")
    model = keras.Sequential([keras.Input((4,)), *bigger.layers[:1], bigger.layers[-1]])
    (tmp_path / "model.json").write_text(model.to_json())
    with pytest.raises(ConversionError, match=r"lacks, got .(layers/)?batch_normalization"):
        db.from_keras(tmp_path / "model.json", weights=tmp_path / f"bigger.{suffix}")


LIVE = {
    "huber": lambda: keras.losses.Huber(0.2),
    "cosine": lambda: keras.losses.CosineSimilarity(axis=1),
}


@pytest.mark.parametrize("name", LIVE)
def test_a_live_model_says_what_its_file_lacks(name):
    x = keras.Input((4,))
    outputs = [layers.Reshape((3, 2), name=each)(layers.Dense(6)(x)) for each in "ab"]
    y = np.random.default_rng(2).normal(size=(6, 3, 2)).astype("float32")
    for model, given, labels in (
        (keras.Model(x, outputs[0]), LIVE[name](), y),
        (keras.Model(x, outputs), {"a": LIVE[name](), "b": "mse"}, [y, y]),
        (keras.Model(x, outputs), ["mae", LIVE[name]()], [y, y]),
    ):
        model.compile("sgd", given, run_eagerly=True)
        ours, theirs = compared(model, labels)
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_a_live_optimizer_says_which_weights_do_not_decay():
    model = small(layers.Dense(4), layers.BatchNormalization())
    optimizer = keras.optimizers.SGD(0.05, weight_decay=0.3)
    optimizer.exclude_from_weight_decay([model.layers[0].kernel], ["bias", "gamma"])
    model.compile(optimizer, "mse", run_eagerly=True)
    imported = db.from_keras(model)
    names = ("dense/kernel", "dense/bias", "batch_normalization/gamma", "dense_1/bias")
    exempt = imported.experiment.optimizer.weight_decay.exempt
    assert [name.rpartition("/")[2] for name in exempt] == [n.rpartition("/")[2] for n in names]
    ours, theirs = compared(model)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


OPTIMIZERS = {
    "scaled loss": lambda: keras.optimizers.SGD(0.1, loss_scale_factor=8.0),
    "half a window": lambda: keras.optimizers.SGD(0.1, gradient_accumulation_steps=2),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_trains_as_in_keras(name):
    model = small()
    model.compile(OPTIMIZERS[name](), "mse", run_eagerly=True)
    model.fit(X, Y, batch_size=2, shuffle=False, verbose=0)  # three batches
    ours, theirs = compared(model)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_arrays_of_other_weights_are_left_out():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(4), layers.Dense(4)])
    model.compile(keras.optimizers.SGD(0.02, momentum=0.9), "mse", run_eagerly=True)
    model.fit(X, X, batch_size=2, verbose=0)
    model.layers[0].trainable = False
    imported = db.from_keras(model)
    assert not imported.slots
    assert "frozen after the last compile" in imported.report.notes[0]
    imported.compile("reference")


def test_a_legacy_file_with_long_names_keeps_its_optimizer(tmp_path):
    many = [layers.Dense(2, name="n" * 200 + str(k)) for k in range(90)]
    model = keras.Sequential([keras.Input((2,)), *many])
    model.compile("adam", "mse", run_eagerly=True)
    model.fit(np.zeros((4, 2)), np.zeros((4, 2)), verbose=0)
    model.save(tmp_path / "long.h5")
    imported = db.from_keras(tmp_path / "long.h5")
    assert imported.step == 1
    assert len(imported.slots) == 90 * 4


OBJECTS = {
    "binary": (lambda: keras.losses.BinaryCrossentropy(from_logits=True), None),
    "categorical": (lambda: keras.losses.CategoricalCrossentropy(label_smoothing=0.1), None),
    "metric": (lambda: "mse", [keras.metrics.AUC(), keras.metrics.CategoricalCrossentropy()]),
    "names": (lambda: "mse", ["accuracy", keras.metrics.CategoricalAccuracy(name="again")]),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_losses_and_metrics_as_objects_are_read(name):
    loss, metrics = OBJECTS[name]
    model = small()
    model.compile("sgd", loss(), metrics=metrics)
    imported = db.from_keras(model)
    assert not imported.report.notes
    assert len(imported.experiment.metrics) == len(metrics or ())


def test_nested_models_take_several_inputs_and_open_sizes():
    a, b = keras.Input((4,)), keras.Input((4,))
    both = keras.Model([a, b], layers.Add()([layers.Dense(4)(a), b]))
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(3)(both([x, x])))
    model.compile("sgd", "mse", run_eagerly=True)
    ours, theirs = compared(model)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)

    body = keras.Sequential(
        [keras.Input((None, None, 3)), layers.Conv2D(2, 2), layers.GlobalAveragePooling2D()]
    )
    x = keras.Input((6, 6, 3))
    model = keras.Model(x, layers.Dense(3)(body(x)))
    assert db.from_keras(model).model.output_shape == (None, 3)


def test_constraints_go_back_with_their_axes():
    model = db.Sequential(
        [
            db.Input((6, 6, 1)),
            db.Conv2D(2, 3, kernel_constraint="max_norm", bias_constraint="max_norm"),
            db.Flatten(),
            db.Dense(3, kernel_constraint="unit_norm"),
        ]
    )
    back = db.to_keras(db.compile(db.Experiment(model, "mse", "sgd"), "reference"))
    axes = [layer.kernel_constraint.axis for layer in back.layers if hasattr(layer, "kernel")]
    assert axes == [[0, 1, 2], 0]


def test_damaged_parts_are_conversion_errors(tmp_path):
    model = small()
    model.compile("sgd", "mse")
    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        whole = (tmp_path / name).read_bytes()
        for size in (len(whole) // 2, len(whole) - 30):
            (tmp_path / name).write_bytes(whole[:size])
            with pytest.raises(ConversionError):
                db.from_keras(tmp_path / name)
    (tmp_path / "model.json").write_text('{"class_name": "Sequential", "config": {"layers": [1]}}')
    with pytest.raises(ConversionError, match="damaged or of another form"):
        db.from_keras(tmp_path / "model.json")


def test_to_keras_takes_a_run():
    with pytest.raises(DTypeError, match="takes a run"):
        db.to_keras("run")

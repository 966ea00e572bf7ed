"""Independent witnesses: cross-entropies of probabilities, and of models with a final activation.

Keras divides probabilities by their sum, and computes from the logits before a final activation.
"""

from __future__ import annotations

import os
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.backend.plugins import load_backend
from dnnbridge.datasets import adapt_to, load_dataset
from dnnbridge.graph import BATCH, TensorType
from dnnbridge.testing.assertions import assert_close
from dnnbridge.testing.harness import equation
from dnnbridge.testing.tolerances import LOSS_CURVE, TRAJECTORY

EXAMPLE = Path(__file__).parents[2] / "examples" / "mnist_sigmoid.py"
BACKENDS = ("reference", "tensorflow", "mindspore")
RNG = np.random.default_rng(0)
LABEL = RNG.integers(0, 3, 8)
ONE_HOT = np.eye(3)[LABEL]
P = np.vstack(
    [
        RNG.random((4, 3)),
        [[0.9, 0.8, 0.7], [1.8, 0.2, 0.0], [0.0, 1e-9, 1.0], [3.0, 2.0, 1.0]],
    ]
)

SPARSE, ROWS, FOCAL = (
    db.SparseCategoricalCrossentropy,
    db.CategoricalCrossentropy,
    db.CategoricalFocalCrossentropy,
)
QUOTIENTS = {
    "sparse": (SPARSE(), "SparseCategoricalCrossentropy", {}, LABEL),
    "rows": (ROWS(), "CategoricalCrossentropy", {}, ONE_HOT),
    "soft": (ROWS(), "CategoricalCrossentropy", {}, np.full((8, 3), 1 / 3)),
    "smoothed": (
        ROWS(label_smoothing=0.1),
        "CategoricalCrossentropy",
        {"label_smoothing": 0.1},
        ONE_HOT,
    ),
    "focal": (FOCAL(), "CategoricalFocalCrossentropy", {}, ONE_HOT),
    "focal-smoothed": (
        FOCAL(0.4, 1.5, label_smoothing=0.1),
        "CategoricalFocalCrossentropy",
        {"alpha": 0.4, "gamma": 1.5, "label_smoothing": 0.1},
        ONE_HOT,
    ),
}


@pytest.mark.parametrize(("loss", "name", "arguments", "label"), QUOTIENTS.values(), ids=QUOTIENTS)
def test_probabilities_are_divided_by_their_sum(loss, name, arguments, label):
    """Compare value and gradient. Both depend on the order of clipping and dividing."""
    keras, tf = pytest.importorskip("keras"), pytest.importorskip("tensorflow")
    types = [TensorType((BATCH, *a.shape[1:]), _dtype(a)) for a in (P, label)]
    built = equation(lambda scope, p, y: scope.call(loss, p, y), types, [P, label])
    found = built.run(load_backend("reference"))
    p = tf.constant(P, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(p)
        native = getattr(keras.losses, name)(reduction="none", **arguments)
        each = native(label, p)
        total = tf.reduce_sum(each * tf.constant(built.feeds["weights"], tf.float32))
    assert_close(np.asarray(each), found["value"], 2e-6, "value")
    assert_close(np.asarray(tape.gradient(total, p)), found["d/input_0"], 4e-6, "gradient")


def _dtype(array):
    return "int32" if array.dtype.kind == "i" else "float32"


def test_the_three_probabilities_of_the_documentation():
    """0.8 / 2.4 is a third; not divided it is 0.2231."""
    p, label = np.array([[0.9, 0.8, 0.7]]), np.array([[0.0, 1.0, 0.0]])
    for loss, wanted in ((ROWS(), np.log(3.0)), (ROWS(normalize=False), -np.log(0.8))):
        assert _loss_of(loss, p, label) == pytest.approx(wanted, rel=1e-6)
        sparse = SPARSE(normalize=loss.normalize)
        assert _loss_of(sparse, p, np.array([1])) == pytest.approx(wanted, rel=1e-6)
    assert SPARSE.mindspore().normalize is ROWS.mindspore().normalize is False


def test_rows_of_mindspore():
    ms = pytest.importorskip("mindspore")
    weights = np.array([0.5, 1.0, 2.0], np.float32)
    native = ms.nn.CrossEntropyLoss(weight=ms.Tensor(weights), label_smoothing=0.1)
    theirs = native(ms.Tensor(P, ms.float32), ms.Tensor(ONE_HOT, ms.float32))
    ours = _loss_of(ROWS.mindspore(weights.tolist(), 0.1), P, ONE_HOT)
    assert ours == pytest.approx(float(theirs.asnumpy()), rel=2e-6)


def _loss_of(loss, p, label):
    x = db.Input(p.shape[1:])
    run = db.compile(
        db.Experiment(db.Model(x, db.Activation("linear")(x)), loss, db.SGD(0.1)), "reference"
    )
    return run.evaluate(p, label)["loss"]


X = np.ones((1, 1), np.float32)
ONE = np.array([1])
NO_YES = np.array([[0.0, 1.0]])
SURE = {
    "softmax-sparse": ("softmax", [25.0, 0.0], SPARSE(), ONE),
    "softmax-rows": ("softmax", [25.0, 0.0], ROWS(), NO_YES),
    "softmax-smoothed": ("softmax", [25.0, 0.0], ROWS(label_smoothing=0.1), NO_YES),
    "sigmoid-binary": ("sigmoid", [-25.0], db.BinaryCrossentropy(), np.ones((1, 1))),
    "sigmoid-binary_smoothed": (
        "sigmoid",
        [-25.0],
        db.BinaryCrossentropy(label_smoothing=0.2),
        np.ones((1, 1)),
    ),
    "sigmoid-focal": ("sigmoid", [-25.0], db.BinaryFocalCrossentropy(), np.ones((1, 1))),
    "sigmoid-rows": ("sigmoid", [25.0, 0.0], ROWS(), NO_YES),
    "sigmoid-sparse": ("sigmoid", [25.0, 0.0], SPARSE(), ONE),
    "softmax-binary": ("softmax", [25.0, 0.0], db.BinaryCrossentropy(), NO_YES),
    "softmax-focal": ("softmax", [25.0, 0.0], FOCAL(), NO_YES),
}
ENDS = ("dense", "activation", "softmax layer", "functional", "nested", "passed on")


def ours_of(end, activation, units, loss, backend, metrics=(), optimizer=None):
    dense = db.Dense(units, activation, use_bias=False)
    x = db.Input((1,))
    head = db.Dense(units, use_bias=False)
    model = {
        "dense": lambda: db.Sequential([x, dense]),
        "activation": lambda: db.Sequential([x, head, db.Activation(activation)]),
        "softmax layer": lambda: db.Sequential([x, head, _spec(activation)]),
        "functional": lambda: db.Model(x, dense(x)),
        "nested": lambda: db.Sequential([x, db.Sequential([x, db.Sequential([x, dense])])]),
        "passed on": lambda: db.Sequential([x, dense, db.Activation("linear")]),
    }[end]()
    experiment = db.Experiment(model, loss, optimizer or db.SGD(1.0), metrics)
    return db.compile(experiment, backend)


def _spec(name):
    return {"softmax": db.Softmax(), "sigmoid": db.Sigmoid()}[name]


def native_loss(keras, loss, **more):
    name = type(loss).__name__.replace("Entropy", "entropy")
    arguments = {"label_smoothing": loss.label_smoothing} if loss.label_smoothing else {}
    return getattr(keras.losses, name)(**arguments, **more)


def keras_of(keras, activation, kernel, loss, metrics=()):
    dense = keras.layers.Dense(len(kernel), activation, use_bias=False)
    model = keras.Sequential([keras.Input((1,)), dense])
    model.set_weights([np.array([kernel], np.float32)])
    model.compile(keras.optimizers.SGD(1.0), loss, weighted_metrics=[], metrics=list(metrics))
    return model


@pytest.mark.parametrize(("activation", "kernel", "loss", "label"), SURE.values(), ids=SURE)
def test_a_sure_wrong_answer_learns_as_in_keras(activation, kernel, loss, label):
    """Kernel 25 and the other class: computed from probabilities, 16.118 without a gradient."""
    keras = pytest.importorskip("keras")
    model = keras_of(keras, activation, kernel, native_loss(keras, loss))
    theirs = [float(model.evaluate(X, label, verbose=0))]
    theirs += [float(model.train_on_batch(X, label)) for _ in range(30)]
    (wanted,) = model.get_weights()
    for backend in BACKENDS:
        if backend != "reference":
            pytest.importorskip(backend)
        run = ours_of("dense", activation, len(kernel), loss, backend)
        run.set_parameters({"dense/kernel": np.array([kernel], np.float32)})
        ours = [run.evaluate(X, label)["loss"]]
        ours += run.fit(X, label, 1, 30).history["loss"]
        assert ours == pytest.approx(theirs, rel=LOSS_CURVE), backend
        assert_close(run.parameters()["dense/kernel"], wanted, TRAJECTORY, backend)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("activation", "kernel", "loss", "label"), SURE.values(), ids=SURE)
def test_logits_are_those_behind_an_activation_as_in_keras(activation, kernel, loss, label):
    """Keras and dnnbridge warn about from_logits=True there, and both use the logits."""
    keras = pytest.importorskip("keras")
    kernel = [0.1 * each for each in kernel]
    model = keras_of(keras, activation, kernel, native_loss(keras, loss, from_logits=True))
    theirs = [float(model.train_on_batch(X, label)) for _ in range(5)]
    run = ours_of("dense", activation, len(kernel), loss.replace(from_logits=True), "reference")
    run.set_parameters({"dense/kernel": np.array([kernel], np.float32)})
    assert run.fit(X, label, 1, 5).history["loss"] == pytest.approx(theirs, rel=LOSS_CURVE)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("case", ["softmax-sparse", "softmax-rows", "sigmoid-binary"])
def test_wherever_the_activation_stands(end, case):
    """The expected number is computed from the logits in float64."""
    activation, kernel, loss, label = SURE[case]
    run = ours_of(end, activation, len(kernel), loss, "reference", [loss])
    (name,) = run.parameters()
    run.set_parameters({name: np.array([kernel], np.float32)})
    found = run.evaluate(X, label)
    exact = np.log1p(np.exp(-25.0)) + 25.0
    assert list(found.values()) == pytest.approx([exact, exact], rel=1e-12)
    run.fit(X, label, 1, 30)
    z = np.array(kernel)
    for _ in range(30):
        if activation == "softmax":
            p = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
            z = z - (p - NO_YES[0])
        else:
            z = z + 1.0 / (1.0 + np.exp(z))
    assert_close(run.parameters()[name], z[None], 1e-12, end)


def test_what_is_made_otherwise_is_clipped():
    """Like Keras, the loss finds no logits before a Reshape; fused=False does not look for any."""
    softmax = db.Dense(2, "softmax", use_bias=False)
    for layers, loss in (
        ([softmax, db.Reshape((2,))], ROWS()),
        ([softmax, db.Dropout(0.0), db.Reshape((1, 2)), db.Flatten()], ROWS()),
        ([softmax], ROWS(fused=False)),
        ([softmax], SPARSE(fused=False)),
    ):
        model = db.Sequential([db.Input((1,)), *layers])
        run = db.compile(db.Experiment(model, loss, db.SGD(1.0)), "reference")
        run.set_parameters({"dense/kernel": np.array([[25.0, 0.0]])})
        label = ONE if isinstance(loss, SPARSE) else NO_YES
        assert run.evaluate(X, label)["loss"] == pytest.approx(-np.log(1e-7), rel=1e-6)


def test_an_axis_of_other_things_is_not_taken_for_classes():
    """A softmax over the first of two axes gives no distributions along the last one."""
    x = db.Input((2, 2))
    run = db.compile(
        db.Experiment(db.Model(x, db.Activation(db.Softmax(1))(x)), ROWS(), db.SGD(0.1)),
        "reference",
    )
    values = np.array([[[3.0, 1.0], [0.0, 2.0]]])
    p = np.exp(values) / np.exp(values).sum(1, keepdims=True)
    q = p / p.sum(-1, keepdims=True)
    found = run.evaluate(values, np.array([[[1.0, 0.0], [0.0, 1.0]]]))["loss"]
    assert found == pytest.approx(-np.log([q[0, 0, 0], q[0, 1, 1]]).mean(), rel=1e-12)


def test_heads_weights_and_reductions_see_logits_too():
    """Two heads with sample weights: each loss is that of its logits, weighted and reduced."""
    x = db.Input((1,))
    kind = db.Dense(2, "softmax", use_bias=False, name="kind")(x)
    flag = db.Dense(1, "sigmoid", use_bias=False, name="flag")(x)
    heads = [
        db.Head("kind", SPARSE(class_weights=(1.0, 3.0), reduction="sum"), metrics=["accuracy"]),
        db.Head("flag", db.BinaryCrossentropy(reduction="weighted_mean"), weight=0.5),
    ]
    run = db.compile(db.Experiment(db.Model(x, [kind, flag]), heads, db.SGD(1.0)), "reference")
    run.set_parameters({"kind/kernel": np.array([[25.0, 0.0]]), "flag/kernel": np.array([[-25.0]])})
    labels = {"kind": np.array([1, 0]), "flag": np.array([[1.0], [0.0]])}
    weights = {"kind": np.array([2.0, 1.0]), "flag": np.array([1.0, 3.0])}
    found = run.evaluate(np.ones((2, 1)), labels, sample_weight=weights)
    wrong, right = 25.0 + np.log1p(np.exp(-25.0)), np.log1p(np.exp(-25.0))
    assert found["kind_loss"] == pytest.approx(3.0 * 2.0 * wrong + right, rel=1e-12)
    assert found["flag_loss"] == pytest.approx((wrong + 3.0 * right) / 4.0, rel=1e-12)
    assert found["kind_accuracy"] == 0.5


@pytest.mark.parametrize("end", ["softmax", "sigmoid"])
def test_evaluation_and_metrics_of_the_same_name_are_those_of_keras(end):
    """Unequal weights of examples; every loss of probabilities as metric."""
    keras = pytest.importorskip("keras")
    rng = np.random.default_rng(1)
    x, kernel = rng.normal(0, 9, (12, 1)).astype(np.float32), [2.0, -1.0, 0.5]
    label, weights = np.eye(3)[rng.integers(0, 3, 12)], rng.random(12)
    extra = [db.BinaryCrossentropy(), db.KLDivergence(), db.CategoricalFocalCrossentropy()]
    run = ours_of("dense", end, 3, ROWS(), "reference", [ROWS(), *extra, "accuracy"])
    run.set_parameters({"dense/kernel": np.array([kernel], np.float32)})
    ours = run.evaluate(x, label, sample_weight=weights)
    native = [
        keras.metrics.CategoricalCrossentropy(),
        keras.metrics.BinaryCrossentropy(),
        keras.metrics.KLDivergence(),
        keras.metrics.MeanMetricWrapper(keras.losses.categorical_focal_crossentropy, name="focal"),
        "categorical_accuracy",
    ]
    model = keras_of(keras, end, kernel, keras.losses.CategoricalCrossentropy(), native)
    theirs = model.evaluate(x, label, sample_weight=weights, verbose=0)
    assert list(ours.values()) == pytest.approx(theirs, rel=4e-6)


def textbook(units, features):
    layers = [db.Dense(u, "sigmoid") for u in (*units, 10)]
    model = db.Sequential([db.Input((features,)), *layers])
    return db.Experiment(model, ROWS(), db.Adam(), ["accuracy"], seed=3)


def assert_learns_as_keras(experiment, data, batch_size, epochs, backends, reached):
    """Hold backends to a live Keras model of the same weights and batches, epoch by epoch."""
    keras = pytest.importorskip("keras")
    data = adapt_to(experiment, data)
    given = data.x_train, data.y_train, batch_size, epochs
    start = list(db.compile(experiment, "reference").parameters().values())
    layers = [keras.layers.Dense(len(bias), "sigmoid") for bias in start[1::2]]
    native = keras.Sequential([keras.Input((len(start[0]),)), *layers])
    native.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    native.set_weights(start)
    theirs = native.fit(*given, shuffle=False, verbose=0).history
    assert theirs["accuracy"][-1] > reached
    for backend in backends:
        ours = db.compile(experiment, backend).fit(*given, shuffle=False).history
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-4), backend
        assert ours["accuracy"] == pytest.approx(theirs["accuracy"], abs=2e-3), backend


def test_the_textbook_sample_learns_as_in_keras():
    """Three sigmoid layers, one-hot labels, Adam. Without normalised p, it would not learn."""
    for name in ("tensorflow", "mindspore"):
        pytest.importorskip(name)
    experiment = textbook((64, 64), 64)
    assert_learns_as_keras(experiment, load_dataset("digits"), 32, 12, BACKENDS, 0.8)


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("DNNBRIDGE_DATA"), reason="DNNBRIDGE_DATA names no MNIST")
def test_the_textbook_sample_reaches_keras_on_mnist():
    """The example unchanged: two epochs of 6,000 images, batches of 200."""
    experiment = runpy.run_path(str(EXAMPLE))["experiment"]
    whole = load_dataset("mnist")
    part = replace(whole, x_train=whole.x_train[:6000], y_train=whole.y_train[:6000])
    assert_learns_as_keras(experiment, part, 200, 2, ("tensorflow", "mindspore"), 0.78)

"""Operations of `keras.ops` in Functional models: predictions and a training step of Keras."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ConversionError
from dnnbridge.formats.keras.application_layers import OF_APPLICATIONS
from dnnbridge.formats.keras.operations import OPERATIONS

pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")
ops = keras.ops

ROWS = 6

FORMULAS = {
    "operators": lambda x, y: 1.0 - x * 0.5 + y / 3 - (2 - y) * x,
    "quotients": lambda x, y: 2.0 / (x**2 + 1.0) + ops.divide(y, x**2 + 0.5) + ops.divide(y, 4),
    "reciprocal": lambda x, y: ops.reciprocal(ops.add(ops.square(x), 0.5)) - y,
    "powers": lambda x, y: x**2 + y**3 + 2**x + (x**2 + 0.1) ** 1.3 + ops.power(abs(x) + 1, -0.5),
    "logarithms": lambda x, y: ops.log(ops.exp(x) + 1.0) + ops.expm1(y) - ops.erf(x),
    "roots": lambda x, y: ops.sqrt(ops.square(x) + 1.0) * ops.rsqrt(ops.absolute(y) + 1.0),
    "extremes": lambda x, y: ops.maximum(x, y) + ops.minimum(x, y) * 3.0 + ops.maximum(0.0, x),
    "bounds": lambda x, y: ops.minimum(0.5, x) + ops.clip(y, -0.5, 0.5) + ops.negative(x),
    "sign": lambda x, y: ops.sign(x) * y,
    "comparisons": lambda x, y: (
        x * ops.cast(ops.logical_or(x > y, ops.equal(x, y)), "float32")
        + y * ops.cast(ops.logical_xor(x >= 0.1, y <= 0.2), "float32")
    ),
    "truths": lambda x, y: (
        x * ops.cast(ops.logical_and(ops.logical_not(x < y), ops.not_equal(y, 0.3)), "float32")
        + y * ops.cast(ops.any(ops.convert_to_tensor(x > 1.0), 1, keepdims=True), "float32")
        + x * ops.cast(ops.all(y < 1.5, -1, keepdims=True), "float32")
    ),
    "choices": lambda x, y: (
        ops.where(ops.logical_and(x > 0.1, y < 1.0), x * 2.0, ops.absolute(y))
        + ops.where(x > y, 0.5, y)
        + ops.where(y >= 0.2, x, -3)
    ),
    "constant_scalar": lambda x, y: ops.add(x, ops.convert_to_tensor(2.5)) * y,
    "broadcast": lambda x, y: x * ops.mean(y, axis=1, keepdims=True) + y[:, :, :1] - x[:, :1],
    "merging": lambda x, y: keras.layers.Multiply()([x, ops.mean(y, [1, 2], keepdims=True)]),
    "merging_ranks": lambda x, y: keras.layers.Add()([x, y[:, 0], y[:, 1:2, 1]]),
    "reductions": lambda x, y: ops.sum(x, -1) + ops.mean(y, axis=(2,)) + ops.max(x, axis=2),
    "least": lambda x, y: ops.min(x, [1, 2], keepdims=True) + ops.amax(y, 1, True) + y,
    "averages": lambda x, y: ops.average(x, axis=1) + ops.amin(y, axis=1),
    "variance": lambda x, y: ops.var(x, axis=-1, keepdims=True) * y + ops.std(y, -1, keepdims=True),
    "expanded": lambda x, y: ops.squeeze(ops.expand_dims(x, 1), axis=1) + y,
    "expanded_twice": lambda x, y: ops.squeeze(ops.expand_dims(x, axis=(1, 3)), (1, 3)) - y,
    "expanded_behind": lambda x, y: ops.expand_dims(x, axis=-1) * ops.expand_dims(y, (-1,)),
    "squeezed_behind": lambda x, y: ops.squeeze(ops.mean(x, -2, keepdims=True), -2) - y[:, 0],
    "transposed": lambda x, y: ops.transpose(x, (0, 2, 1)) @ y,
    "products": lambda x, y: ops.matmul(x, ops.transpose(y, axes=[0, 2, 1])),
    "reshaped": lambda x, y: ops.reshape(x, (-1, 2, 10)) + ops.reshape(y, (-1, 2, 10)),
    "flat": lambda x, y: ops.reshape(x, (-1, 20)) - ops.reshape(y, (-1, 20)),
    "joined": lambda x, y: ops.concatenate([x, y], axis=-1),
    "joined_first": lambda x, y: ops.concatenate([x, y, x], 1),
    "stacked": lambda x, y: ops.stack([x, y], axis=1),
    "stacked_behind": lambda x, y: ops.stack([x, y], axis=-1),
    "first": lambda x, y: x[:, 0] + y[:, -1],
    "ranges": lambda x, y: x[:, 1:, :-1] * y[:, :-1, 1:],
    "steps": lambda x, y: x[..., ::2] + y[:, :, 1::2],
    "backwards": lambda x, y: x[:, ::-1] + ops.flip(y, axis=1) * ops.flip(x, axis=-1),
    "new_axes": lambda x, y: x[:, None, 1:] - y[:, :-1, None][:, None, :, 0],
    "cast": lambda x, y: ops.cast(x, "float32") * y,
    "celu": lambda x, y: ops.celu(x, 0.3) + ops.elu(y, alpha=0.5),
    "gelu": lambda x, y: ops.gelu(x) + ops.gelu(y, False),
    "shrinks": lambda x, y: (
        ops.hard_shrink(x)
        + ops.soft_shrink(y, 0.3)
        + ops.tanh_shrink(x)
        + ops.threshold(y, 0.2, 0.1)
    ),
    "sparse": lambda x, y: ops.sparse_plus(x) + ops.sparse_sigmoid(y) + ops.squareplus(x),
    "halves": lambda x, y: ops.glu(x) * ops.hard_tanh(ops.glu(y)),
    "relu": lambda x, y: ops.relu(x) + ops.relu6(4.0 * y),
    "relu_function": lambda x, y: keras.activations.relu(x) + keras.activations.relu(y, 0.1),
    "leaky": lambda x, y: ops.leaky_relu(x, 0.1) + ops.leaky_relu(y) + ops.selu(x),
    "hard": lambda x, y: ops.hard_sigmoid(x) * ops.hard_silu(y),
    "sigmoids": lambda x, y: ops.sigmoid(x) + ops.log_sigmoid(y) + ops.silu(x) * ops.tanh(y),
    "soft": lambda x, y: ops.softplus(x) + ops.softsign(y),
    "softmax": lambda x, y: ops.softmax(x, 1) + ops.softmax(y) - ops.log_softmax(x, axis=-1),
}


def model_of(formula):
    """Return a model with weights before and behind a formula of two values."""
    given = keras.Input((5, 4))
    x = keras.layers.Dense(4, name="left")(given)
    y = keras.layers.Dense(4, "tanh", name="right")(given)
    made = formula(x, y)
    outer = keras.layers.Dense(2, name="end")(keras.layers.Flatten()(made))
    model = keras.Model(given, outer)
    model.compile(keras.optimizers.SGD(1.0), "mse", run_eagerly=True)
    return model


def distance(found, wanted):
    """Return the largest difference, as a part of the largest number."""
    found, wanted = np.asarray(found, float), np.asarray(wanted, float)
    assert found.shape == wanted.shape
    return np.abs(found - wanted).max() / np.abs(wanted).max()


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_has_the_predictions_and_gradients_of_keras(name, tmp_path):
    keras.utils.set_random_seed(1)
    model = model_of(FORMULAS[name])
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(ROWS, 5, 4)).astype("f"), rng.normal(size=(ROWS, 2)).astype("f")
    model.save(tmp_path / "model.keras")
    run = db.from_keras(tmp_path / "model.keras").compile("reference")
    assert distance(run.predict(x), model(x)) < 1e-6
    before = run.parameters()
    model.train_on_batch(x, y)
    run.fit(x, y, ROWS)
    after = run.parameters()
    names = [weight.path for weight in model.weights]
    steps = [after[name].astype(float) - before[name] for name in names]
    wanted = [w.numpy().astype(float) - before[w.path] for w in model.weights]
    # The largest step is that of a gradient of about 1: the rate is 1.
    assert max(np.abs(each).max() for each in wanted) > 0.1
    assert distance(np.concatenate(steps, None), np.concatenate(wanted, None)) < 1e-6


def test_every_operation_that_is_read_stands_in_a_formula():
    read = {
        operation.__class__.__name__
        for formula in FORMULAS.values()
        for operation in model_of(formula).operations
    }
    assert OPERATIONS.keys() - OF_APPLICATIONS.keys() <= read


WRONG = {
    "constant_array": lambda x, y: x + ops.ones((4,)) * y,
    "power_of_two_values": lambda x, y: ops.power(abs(x), y),
    "over_the_batch": lambda x, y: x + ops.mean(y, axis=0, keepdims=True),
    "over_everything": lambda x, y: x * ops.mean(y),
    "unknown": lambda x, y: ops.cumsum(x, axis=1) + y,
    "squeezed_all": lambda x, y: ops.squeeze(x[:, :1]) + y[:, 0],
    "other_dtype": lambda x, y: ops.cast(ops.cast(x, "float16"), "float32") + y,
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_read_is_named(name, tmp_path):
    model_of(WRONG[name]).save(tmp_path / "model.keras")
    with pytest.raises(ConversionError, match=r"keras\.ops|axes other than 0"):
        db.from_keras(tmp_path / "model.keras")


def test_names_are_those_of_keras_and_do_not_clash(tmp_path):
    x = keras.Input((4,))
    h = keras.layers.Dense(4, name="add_1")(x)
    made = ops.std(h, axis=-1, keepdims=True) + x + 1.0
    end = keras.layers.Add(name="add_7")([made, keras.layers.Dense(4, name="subtract")(made)])
    model = keras.Model(x, ops.multiply(end, 2.0))
    model.save(tmp_path / "model.keras")
    found = db.from_keras(tmp_path / "model.keras").model
    names = [node.name for node in found.nodes]
    assert len(set(names)) == len(names)
    assert set(found.output_names) == {model.operations[-1].name}
    assert {operation.name for operation in model.operations[1:]} <= set(names)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_goes_back_to_keras(name):
    keras.utils.set_random_seed(1)
    model = model_of(FORMULAS[name])
    model.compile("sgd", "mse")
    back = db.to_keras(db.from_keras(model).compile("reference"))
    x = np.random.default_rng(0).normal(size=(ROWS, 5, 4)).astype("f")
    assert distance(back(x), model(x)) < 1e-6

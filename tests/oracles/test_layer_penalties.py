"""Independent witnesses: what regularizers in the fields of Keras' layers add to the loss."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.keras_names.evaluating import SYNONYMS
from oracles.witnesses import witness

import dnnbridge as db

RNG = np.random.default_rng(0)
DENSE = {
    "kernel_regularizer": (db.L2(0.3), "L2", 0.3),
    "bias_regularizer": (db.L1(0.2), "L1", 0.2),
    "activity_regularizer": (db.L2(0.1), "L2", 0.1),
}


def renamed(**names):
    """Return the fields of `DENSE`, the kernel's under other names as well."""
    rest = {k: v for k, v in DENSE.items() if not k.startswith("kernel")}
    return rest | {f"{name}_regularizer": given for name, given in names.items()}


L2 = (db.L2(0.3), "L2", 0.3)
NORM = {"beta_regularizer": (db.L1(0.2), "L1", 0.2), "gamma_regularizer": L2}
LAYERS = {
    "Dense": (db.Dense, (4,), (3, "tanh"), DENSE),
    "Conv2D": (db.Conv2D, (5, 5, 2), (3, 2), DENSE),
    "Conv2DTranspose": (db.Conv2DTranspose, (5, 5, 2), (3, 2), DENSE),
    "DepthwiseConv2D": (db.DepthwiseConv2D, (5, 5, 2), (2,), renamed(depthwise=L2)),
    "SeparableConv1D": (
        db.SeparableConv1D,
        (7, 2),
        (3, 2),
        renamed(depthwise=L2, pointwise=(db.L1(0.4), "L1", 0.4)),
    ),
    "LSTM": (db.LSTM, (4, 3), (2,), DENSE | {"recurrent_regularizer": (db.L1(0.4), "L1", 0.4)}),
    "GRU": (db.GRU, (4, 3), (2,), DENSE | {"recurrent_regularizer": (db.L1(0.4), "L1", 0.4)}),
    # Keras' SimpleRNN takes an activity_regularizer and does nothing with it.
    "SimpleRNN": (
        *(db.SimpleRNN, (4, 3), (2,)),
        {k: v for k, v in DENSE.items() if not k.startswith("activity")},
    ),
    "LayerNormalization": (db.LayerNormalization, (4,), (), NORM),
    "BatchNormalization": (db.BatchNormalization, (4,), (), NORM),
    "PReLU": (db.PReLU, (4,), ("ones",), {"alpha_regularizer": L2}),
}


@pytest.mark.parametrize("name", LAYERS)
def test_penalties_of_fields_equal_keras(name):
    keras = pytest.importorskip("keras")
    ours, shape, arguments, fields = LAYERS[name]
    made = ours(*arguments, **{field: given[0] for field, given in fields.items()})
    theirs = getattr(keras.layers, name)(
        *arguments,
        **{field: getattr(keras.regularizers, kind)(v) for field, (_, kind, v) in fields.items()},
    )
    x = RNG.normal(size=(6, *shape)).astype("f4")
    theirs.build(x.shape)
    run = db.compile(experiment(made, shape), "reference")
    arrays = {n: RNG.normal(size=a.shape).astype("f4") for n, a in run.parameters().items()}
    for variable in theirs.trainable_variables:
        name = SYNONYMS.get(variable.name, variable.name)
        variable.assign(arrays[f"{next(iter(arrays)).partition('/')[0]}/{name}"])
    theirs(x)
    run.set_parameters(arrays)
    y = run.predict(x)
    whole = run.evaluate(x, np.zeros_like(y), batch_size=6)["loss"]
    added = whole - (y**2).mean(tuple(range(1, y.ndim))).mean()
    assert len(theirs.losses) == len(fields)
    np.testing.assert_allclose(added, sum(float(loss) for loss in theirs.losses), rtol=1e-5)


@witness("Keras", db.ActivityRegularization)
def test_activity_regularization_equals_keras():
    keras = pytest.importorskip("keras")
    theirs = keras.layers.ActivityRegularization(0.1, 0.2)
    x = RNG.normal(size=(5, 4)).astype("f4")
    theirs(x)
    run = db.compile(experiment(db.ActivityRegularization(0.1, 0.2), (4,)), "reference")
    added = run.evaluate(x, x, batch_size=3)["loss"]
    np.testing.assert_allclose(added, float(theirs.losses[0]), rtol=1e-6)


def experiment(layer, shape):
    model = db.Sequential([db.Input(shape), layer])
    return db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1))

"""Penalties and constraints: how fields and patterns select weights, and what training does."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import DnnbridgeError
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.specs.spec import kinds

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(30, 5)), RNG.normal(size=(30, 2))
L2 = db.L2(0.05)


def fit(*layers, optimizer=None, epochs=3, **given) -> db.Run:
    model = db.Sequential([db.Input((5,)), *(layers or (db.Dense(4, "tanh"), db.Dense(2)))])
    optimizer = optimizer or db.SGD(0.1, momentum=0.9)
    run = db.compile(db.Experiment(model, db.MeanSquaredError(), optimizer, **given), "reference")
    if epochs:
        run.fit(X, Y, 10, epochs)
    return run


SHAPES = {
    "Conv1D": (6, 2),
    "Conv1DTranspose": (6, 2),
    "DepthwiseConv1D": (6, 2),
    "SeparableConv1D": (6, 2),
    "Conv2D": (6, 6, 2),
    "Conv2DTranspose": (6, 6, 2),
    "DepthwiseConv2D": (6, 6, 2),
    "SeparableConv2D": (6, 6, 2),
    "Conv3D": (4, 4, 4, 2),
    "Conv3DTranspose": (4, 4, 4, 2),
    "ConvLSTM1D": (3, 5, 2),
    "ConvLSTM2D": (3, 4, 4, 2),
    "ConvLSTM3D": (2, 3, 3, 3, 1),
    "Dense": (3,),
    "EinsumDense": (3,),
    "Embedding": (3,),
    "PositionEmbedding": (3, 2),
    "BatchNormalization": (3,),
    "LayerNormalization": (3,),
    "GroupNormalization": (4, 2),
    "InstanceNorm": (4, 2),
    "SimpleRNN": (4, 2),
    "LSTM": (4, 2),
    "GRU": (4, 2),
    "MultiHeadAttention": (4, 2),
    "GroupQueryAttention": (4, 2),
    "ReversibleEmbedding": (3,),
}
ARGUMENTS = {
    "filters": 2,
    "kernel_size": 2,
    "units": 3,
    "input_dim": 7,
    "output_dim": 2,
    "num_heads": 2,
    "key_dim": 3,
    "head_dim": 3,
    "num_query_heads": 4,
    "num_key_value_heads": 2,
    "groups": 1,
    "equation": "ab,bc->ac",
    "output_shape": 2,
    "bias_axes": "c",
}
WITHOUT = ("Attention", "RMSNormalization")
"""Layers with a weight that has no such fields, in Keras too."""


def fields_of(cls: type, ending: str) -> list[str]:
    names = [field.name for field in dataclasses.fields(cls)]
    return [n for n in names if n.endswith(ending) and not n.startswith("activity")]


def with_fields(cls: type, ending: str) -> list[str]:
    found = [
        c for c in kinds(cls) if c.__module__.startswith("dnnbridge.") and fields_of(c, ending)
    ]
    return [c.__name__ for c in found]


def test_every_layer_with_an_initializer_has_regularizers_and_constraints():
    expected = [name for name in with_fields(AbstractLayer, "_initializer") if name not in WITHOUT]
    assert set(SHAPES) == set(expected) == set(with_fields(AbstractLayer, "_regularizer"))
    for name in SHAPES:
        cls = getattr(db, name)
        made = {n.removesuffix("_initializer") for n in fields_of(cls, "_initializer")}
        made -= {"output_kernel", "output_bias"}
        for ending in ("_regularizer", "_constraint"):
            assert {n.removesuffix(ending) for n in fields_of(cls, ending)} == made, name


@pytest.mark.parametrize("name", SHAPES)
def test_fields_reach_their_weights(name):
    cls = getattr(db, name)
    positional = [f.name for f in dataclasses.fields(cls) if f.name in ARGUMENTS]
    given = {n: ARGUMENTS[n] for n in positional}
    for i, field in enumerate(fields_of(cls, "_regularizer"), 1):
        given |= {field: db.L2(float(i))}
    for i, field in enumerate(fields_of(cls, "_constraint"), 1):
        given |= {field: db.MaxNorm(float(i))}
    layer = cls(**given)
    dtype = "int32" if name.endswith("Embedding") and name[:8] != "Position" else "float32"
    model = db.Sequential([db.Input(SHAPES[name], dtype), layer])
    program = db.Experiment(model, db.MeanSquaredError(), db.SGD(0.1)).program()
    found = {a.name.rpartition("/")[2]: a for a in program.state.values() if a.trainable}
    assert found
    for weight, array in found.items():
        field = weight.rpartition("_")[2] if name == "MultiHeadAttention" else weight
        if not hasattr(layer, f"{field}_regularizer"):
            field = {"kernel": "depthwise"}.get(field, field.removesuffix("_kernel"))
        assert array.regularizer == getattr(layer, f"{field}_regularizer") is not None, weight
        assert array.constraint == getattr(layer, f"{field}_constraint") is not None, weight


def test_arguments_by_position_are_as_before():
    assert db.Dense(3, "relu", False).use_bias is False
    with pytest.raises(DnnbridgeError):
        db.Dense(3, "relu", True, "zeros", "zeros", "l2")


def test_fields_are_part_of_the_spec():
    layer = db.Dense(3, kernel_regularizer="l2", kernel_constraint=db.UnitNorm((0,)))
    assert db.Spec.from_json(layer.to_json()) == layer
    assert layer != db.Dense(3)


def test_a_penalty_is_a_part_of_the_loss_whatever_the_batch():
    plain, penalised = fit(epochs=0), fit(epochs=0, regularizers={"dense/kernel": L2})
    added = 0.05 * (plain.parameters()["dense/kernel"] ** 2).sum()
    for size in (7, 30):
        losses = [run.evaluate(X, Y, size)["loss"] for run in (plain, penalised)]
        assert losses[1] - losses[0] == pytest.approx(added, rel=1e-12)


def test_a_penalty_of_activities_is_the_mean_over_the_examples():
    layers = db.Dense(4, "tanh", activity_regularizer=L2), db.Dense(2)
    penalised = fit(*layers, epochs=0)
    plain = fit(epochs=0)
    w, b = (plain.parameters()[f"dense/{n}"] for n in ("kernel", "bias"))
    x = X.astype("f4").astype(float)
    added = 0.05 * (np.tanh(x @ w + b) ** 2).sum(1).mean()
    for size in (7, 30):
        losses = [run.evaluate(X, Y, size)["loss"] for run in (plain, penalised)]
        assert losses[1] - losses[0] == pytest.approx(added, rel=1e-12)
    np.testing.assert_array_equal(plain.predict(X), penalised.predict(X))


@pytest.mark.parametrize("optimizer", [db.SGD(0.1, momentum=0.9), db.Adam(0.01)])
def test_l2_is_a_coupled_decay_of_twice_its_factor(optimizer):
    penalised = fit(optimizer=optimizer, regularizers={"*": L2})
    decayed = fit(optimizer=optimizer.replace(weight_decay=db.CoupledWeightDecay(0.1)))
    plain = fit(optimizer=optimizer)
    for name, array in decayed.parameters().items():
        np.testing.assert_allclose(penalised.parameters()[name], array, rtol=1e-10, atol=1e-12)
        assert np.abs(plain.parameters()[name] - array).max() > 1e-5


def test_patterns_take_the_place_of_fields():
    layers = db.Dense(4, "tanh", kernel_regularizer=L2), db.Dense(2, kernel_regularizer=L2)
    found = fit(*layers, regularizers={"dense/*": None, "*/kernel": db.L1(0.2)})
    expected = fit(regularizers={"dense_1/kernel": db.L1(0.2)})
    for name, array in expected.parameters().items():
        np.testing.assert_array_equal(found.parameters()[name], array)


def test_frozen_weights_have_no_penalty_and_no_constraint():
    given = {"kernel_regularizer": L2, "kernel_constraint": db.MaxNorm(0.01)}
    found = fit(db.Dense(4, "tanh", **given), db.Dense(2), frozen=("dense/*",))
    expected = fit(frozen=("dense/*",))
    for name, array in expected.parameters().items():
        np.testing.assert_array_equal(found.parameters()[name], array)
    assert found.evaluate(X, Y) == expected.evaluate(X, Y)


def test_constraints_hold_after_every_update_and_not_before():
    given = {"constraints": {"*/kernel": db.MaxNorm(0.1), "dense/bias": db.NonNeg()}}
    assert np.linalg.norm(fit(epochs=0, **given).parameters()["dense/kernel"], axis=0).max() > 0.5
    for epochs in (1, 2):
        found = fit(epochs=epochs, **given).parameters()
        for name in ("dense/kernel", "dense_1/kernel"):
            norms = np.linalg.norm(found[name], axis=0)
            assert 0.09 < norms.max() <= 0.1
        assert found["dense/bias"].min() == 0.0


def test_a_step_that_overflows_leaves_all_but_the_scale(tmp_path):
    scale = db.DynamicLossScale(2.0**126, 4.0)
    before = fit(epochs=0, optimizer=db.Adam(0.1), loss_scale=scale)
    start = before.state()
    before.fit(X[:10], 1e6 * Y[:10], 10, 1)
    for name, array in start.items():
        expected = 2.0**124 if name == "loss_scale:scale" else array
        np.testing.assert_array_equal(before.state()[name], expected)
    before.save(tmp_path / "run.safetensors")
    again = db.load(tmp_path / "run.safetensors", "reference")
    assert again.state()["loss_scale:scale"] == 2.0**124


def test_a_scale_stays_within_float32():
    scale = db.DynamicLossScale(2.0**124, 4.0, growth_steps=1)
    run = fit(epochs=9, optimizer=db.SGD(1e-3), loss_scale=scale)
    assert run.state()["loss_scale:scale"] == 2.0**126


def test_a_fixed_scale_changes_nothing():
    plain, scaled = fit(), fit(loss_scale=1024.0)
    for name, array in plain.parameters().items():
        np.testing.assert_array_equal(scaled.parameters()[name], array)


BAD = {
    "activity": (
        lambda: db.Dense(2, activity_regularizer=db.OrthogonalRegularizer()),
        "Dense.activity_regularizer",
        "an output needs a regularizer that sums over elements",
    ),
    "orthogonal_bias": (
        lambda: fit(regularizers={"*": db.OrthogonalRegularizer()}),
        "two axes or more",
        "(4)",
    ),
    "limits": (lambda: db.MinMaxNorm(2.0, 1.0), "MinMaxNorm", "2.0 and 1.0"),
    "rate": (lambda: db.MinMaxNorm(rate=1.5), "MinMaxNorm.rate", "1.5"),
    "axis": (lambda: fit(constraints={"*/bias": db.MaxNorm(1.0, 1)}), "axis out of range", "1"),
    "factor": (lambda: db.L2(-1.0), "L2.l2", "-1.0"),
    "name": (lambda: db.Dense(2, kernel_constraint="max_nrom"), "kernel_constraint", "max_norm"),
    "scale": (lambda: db.DynamicLossScale(1e38), "DynamicLossScale.initial", "1e+38"),
}


@pytest.mark.parametrize(("make", "where", "what"), BAD.values(), ids=BAD)
def test_errors_say_where_and_what(make, where, what):
    with pytest.raises(DnnbridgeError) as caught:
        make()
    assert where in str(caught.value)
    assert what in str(caught.value)

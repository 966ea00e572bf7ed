"""States of recurrent layers in models: names, JSON, sharing and errors."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.errors import ArgumentError, ShapeError, SpecError


def encoder_decoder():
    source, target = db.Input((7, 5), name="source"), db.Input((6, 4), name="target")
    _, h, c = db.LSTM(3, return_state=True, name="encoder")(source)
    y = db.LSTM(3, return_sequences=True)(target, initial_state=[h, c])
    return db.Model([source, target], [y, c])


def test_a_model_names_the_states_of_its_layers():
    model = encoder_decoder()
    assert model.output_names == ("lstm", "encoder_c")
    assert model.nodes[1].initial_state == ("encoder_h", "encoder_c")
    assert model.output_types["encoder_c"].shape == (None, 3)
    assert db.Model.from_json(model.to_json()) == model
    assert eval(repr(model), vars(db) | {"ModelNode": type(model.nodes[0])}) == model


def test_a_file_from_before_states_is_read():
    x = db.Input((4,))
    data = db.Model(x, db.Dense(2)(x)).to_dict()
    del data["nodes"][0]["initial_state"]
    assert db.Model.from_dict(data) == db.Model(x, db.Dense(2)(x))


def test_a_loop_cut_in_two_gives_the_same_numbers():
    """The states after the first steps, given to the same layer, go on with the other steps."""
    x, layer = db.Input((6, 2)), db.GRU(3, return_sequences=True, return_state=True)
    whole, last = layer(x)
    first, h = layer(x[:, :4])
    second, end = layer(x[:, 4:], initial_state=h)
    model = db.Model(x, [whole, last, first, second, end])
    head = db.Head("gru_h", db.MeanSquaredError())
    run = db.compile(db.Experiment(model, [head], db.SGD(0.1)), "reference")
    assert sum("recurrent_kernel" in name for name in run.weights()) == 1
    made = run.predict(np.random.default_rng(0).normal(size=(5, 6, 2)).astype("f4"))
    whole, last, first, second, end = made.values() if isinstance(made, dict) else made
    np.testing.assert_allclose(np.concatenate([first, second], 1), whole, rtol=1e-12)
    np.testing.assert_array_equal(last, end)


X, H = db.Input((6, 2)), db.Input((3,))


WRONG = {
    "one state of two": (lambda: db.LSTM(3)(X, initial_state=H), ArgumentError, "2 states: h, c"),
    "numbers": (lambda: db.GRU(3)(X, initial_state=[0.0]), ArgumentError, "GRU.initial_state"),
    "other layer": (lambda: db.Dense(3)(X, initial_state=H), ArgumentError, "Only recurrent"),
    "other size": (
        lambda: db.Model([X, H], db.GRU(4)(X, initial_state=H)).output_types,
        ShapeError,
        r"initial_state must be h, each float32\[batch, 4\]",
    ),
    "sequential": (
        lambda: db.Sequential([X, db.GRU(3, return_state=True)]),
        ShapeError,
        "gru: expected one value, got 2. Use a Model",
    ),
    "node": (
        lambda: type(encoder_decoder().nodes[0])("a", db.Dense(2), ("x",), None, ("h",)),
        SpecError,
        "only recurrent layers and Bidirectional",
    ),
}


@pytest.mark.parametrize(("make", "error", "words"), WRONG.values(), ids=WRONG)
def test_wrong_states_are_named(make, error, words):
    with pytest.raises(error, match=words):
        make()

"""Which calls a backend has a kernel for. The suite checks the numbers of the kernels."""

from __future__ import annotations

import pytest

import dnnbridge as db
from dnnbridge.backend.flattening import flatten
from dnnbridge.backend.plugins import load_backend
from dnnbridge.graph import Call

SEQUENCE, MASK = db.Input((6, 5)), db.Input((6,))

TAKEN = {
    "plain": db.LSTM(4),
    "two_biases": db.LSTM.mindspore(4),
    "no_bias": db.LSTM(4, use_bias=False, go_backwards=True),
}

LEFT = {
    "activation": db.LSTM(4, "relu"),
    "gates": db.LSTM(4, recurrent_activation="hard_sigmoid"),
    "dropout": db.LSTM(4, dropout=0.5),
    "dropout_of_state": db.LSTM(4, use_bias=False, recurrent_dropout=0.5),
    "penalty": db.LSTM(4, activity_regularizer="l2"),
}


def claimed(layer, *inputs, backend, function="train"):
    """Return whether a backend takes the call of a layer as a whole."""
    pytest.importorskip(backend)
    model = db.Model(list(inputs), layer(*inputs))
    program = db.Experiment(model, db.MeanSquaredError(), db.SGD()).program()
    graph = flatten(program.functions[function], load_backend(backend).claims).graph
    return any(isinstance(node.op, Call) and node.op.spec == layer for node in graph.walk())


both = pytest.mark.parametrize("backend", ["tensorflow", "mindspore"])


@both
@pytest.mark.parametrize("layer", TAKEN.values(), ids=TAKEN)
def test_an_lstm_of_the_usual_form_is_one_kernel(layer, backend):
    assert claimed(layer, SEQUENCE, backend=backend)


@both
@pytest.mark.parametrize("layer", LEFT.values(), ids=LEFT)
def test_any_other_form_is_left_to_its_equation(layer, backend):
    assert not claimed(layer, SEQUENCE, backend=backend)


@both
def test_a_mask_is_left_to_the_equation(backend):
    assert not claimed(db.LSTM(4), SEQUENCE, MASK, backend=backend)
    assert not claimed(db.LSTM(4, use_bias=False), SEQUENCE, MASK, backend=backend)


@both
def test_dropout_is_none_of_a_prediction(backend):
    assert claimed(LEFT["dropout"], SEQUENCE, backend=backend, function="predict")


def optimizer_calls(optimizer, **fields):
    """Return how many updates TensorFlow's backend makes in place."""
    pytest.importorskip("tensorflow")
    model = db.Sequential([db.Input((2,)), db.Dense(3, "tanh"), db.Dense(1)])
    program = db.Experiment(model, db.MeanSquaredError(), optimizer, **fields).program()
    return len(flatten(program.functions["train"], load_backend("tensorflow").claims).places)


def test_weights_change_in_place_where_nothing_else_reads_them():
    assert optimizer_calls(db.SGD(0.1)) == 4
    assert optimizer_calls(db.SGD(0.1, momentum=0.9)) == 4
    assert optimizer_calls(db.Adam(0.1)) == 4
    assert optimizer_calls(db.AdamW(0.1)) == 4
    assert optimizer_calls(db.SGD(0.1, momentum=0.9, weight_decay=0.1)) == 4
    assert optimizer_calls(db.SGD(0.1, momentum=0.9), frozen=["dense/*"]) == 2


@pytest.mark.parametrize(
    "optimizer",
    [
        db.SGD(0.1, momentum=0.9, dampening=0.1),
        db.Adam(0.1, amsgrad=True),
        db.Adam(0.1, beta_1=db.ExponentialDecay(0.9, 100, 0.99)),
        db.optimizers.ExponentialMovingAverage(db.SGD(0.1)),
        db.optimizers.Lookahead(db.SGD(0.1)),
        db.optimizers.GradientAccumulation(db.SGD(0.1), 2),
    ],
)
def test_weights_that_something_else_reads_do_not(optimizer):
    assert optimizer_calls(optimizer) == 0

"""Which calls a backend has a kernel for; that the kernel is right is for the suite to say."""

from __future__ import annotations

import pytest

import dnnbridge as db
from dnnbridge.backend import claimed_by
from dnnbridge.graph import Call
from dnnbridge.plugins import load_backend

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


def claimed(layer, *inputs, function="train"):
    """Return whether MindSpore's backend takes the call of a layer as a whole."""
    pytest.importorskip("mindspore")
    model = db.Model(list(inputs), layer(*inputs))
    program = db.Experiment(model, db.MeanSquaredError(), db.SGD()).program()
    takes = claimed_by(load_backend("mindspore").claims)
    nodes = program.functions[function].graph.walk()
    found = [takes(n) for n in nodes if isinstance(n.op, Call) and n.op.spec is layer]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("layer", TAKEN.values(), ids=TAKEN)
def test_an_lstm_of_the_usual_form_is_one_kernel(layer):
    assert claimed(layer, SEQUENCE)


@pytest.mark.parametrize("layer", LEFT.values(), ids=LEFT)
def test_any_other_form_is_left_to_its_equation(layer):
    assert not claimed(layer, SEQUENCE)


def test_a_mask_is_left_to_the_equation():
    assert not claimed(db.LSTM(4), SEQUENCE, MASK)
    assert not claimed(db.LSTM(4, use_bias=False), SEQUENCE, MASK)


def test_dropout_is_none_of_a_prediction():
    assert claimed(LEFT["dropout"], SEQUENCE, function="predict")

"""Cases of recurrent layers, and of layers that apply another layer at every step."""

from __future__ import annotations

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.layers import (
    GRU,
    LSTM,
    Bidirectional,
    ConvLSTM1D,
    ConvLSTM2D,
    ConvLSTM3D,
    Dense,
    SimpleRNN,
    TimeDistributed,
)
from dnnbridge.layers.states import AbstractStates
from dnnbridge.losses import CTC
from dnnbridge.models import Input, Model
from dnnbridge.specs.fields import DataFormat
from dnnbridge.testing.cases.equation_case import EquationCase, normal

_X = normal(3, 6, 5)
_MASK = np.array([[1.0] * 6, [1, 1, 0, 1, 0, 0], [0, 1, 1, 1, 1, 0]])

_PLAIN = {
    "SimpleRNN": SimpleRNN(4),
    "SimpleRNN-relu": SimpleRNN(4, "relu", return_sequences=True),
    "SimpleRNN-no_bias": SimpleRNN(3, use_bias=False, recurrent_dropout=0.3),
    "SimpleRNN-mindspore": SimpleRNN.mindspore(4),
    "LSTM": LSTM(4, return_sequences=True),
    "LSTM-last": LSTM(4),
    "LSTM-backwards": LSTM(3, return_sequences=True, go_backwards=True),
    "LSTM-dropout": LSTM(4, dropout=0.3, recurrent_dropout=0.4),
    "LSTM-hard": LSTM(4, "softsign", "hard_sigmoid", unit_forget_bias=False),
    "LSTM-no_bias": LSTM(4, use_bias=False),
    "LSTM-no_bias_dropout": LSTM(4, use_bias=False, dropout=0.3),
    "LSTM-relu": LSTM(4, "relu", return_sequences=True),
    "LSTM-penalty": LSTM(4, activity_regularizer="l2"),
    "LSTM-mindspore": LSTM.mindspore(4),
    "LSTM-mindspore_backwards": LSTM.mindspore(7, return_sequences=False, go_backwards=True),
    "GRU": GRU(4, return_sequences=True),
    "GRU-reset_before": GRU(4, return_sequences=True, reset_after=False),
    "GRU-no_bias": GRU(4, use_bias=False),
    "GRU-dropout": GRU(4, dropout=0.3, recurrent_dropout=0.4),
    "GRU-mindspore": GRU.mindspore(4, go_backwards=True),
    "Bidirectional": Bidirectional(LSTM(3, return_sequences=True)),
    "Bidirectional-last": Bidirectional(GRU(3)),
    "Bidirectional-sum": Bidirectional(GRU(3, return_sequences=True), "sum"),
    "Bidirectional-mul": Bidirectional(SimpleRNN(3), "mul"),
    "Bidirectional-ave": Bidirectional(SimpleRNN(3, return_sequences=True), "ave"),
    "TimeDistributed": TimeDistributed(Dense(4, "tanh")),
    "TimeDistributed-softmax": TimeDistributed(Dense(4, "softmax")),
    "TimeDistributed-nested": TimeDistributed(TimeDistributed(Dense(2))),
    "TimeDistributed-recurrent": TimeDistributed(GRU(2)),
    "SimpleRNN-state": SimpleRNN(4, return_state=True, activity_regularizer="l2"),
    "LSTM-state": LSTM(4, return_state=True),
    "LSTM-sequences_and_state": LSTM(4, return_sequences=True, return_state=True),
    "GRU-state_backwards": GRU(4, return_sequences=True, return_state=True, go_backwards=True),
    "Bidirectional-state": Bidirectional(LSTM(3, return_state=True), "sum"),
}

_MASKED = {
    "SimpleRNN-mask": SimpleRNN(4, return_sequences=True),
    "LSTM-mask": LSTM(4, return_sequences=True),
    "LSTM-mask_last": LSTM(4),
    "GRU-mask_backwards": GRU(4, return_sequences=True, go_backwards=True),
    "LSTM-mask_state": LSTM(4, return_state=True),
    "Bidirectional-mask": Bidirectional(LSTM(3, return_sequences=True)),
}

_LINES, _IMAGES, _VOLUMES = normal(3, 6, 7, 2), normal(2, 3, 5, 4, 2), normal(2, 3, 4, 3, 4, 2)
_FIRST: DataFormat = "channels_first"

_CONVOLUTIONAL = {
    "ConvLSTM1D": (ConvLSTM1D(3, 3), _LINES),
    "ConvLSTM1D-dilated": (ConvLSTM1D(2, 2, dilation_rate=2, use_bias=False), _LINES),
    "ConvLSTM1D-dropout": (ConvLSTM1D(2, 2, dropout=0.3, recurrent_dropout=0.4), _LINES),
    "ConvLSTM1D-state": (ConvLSTM1D(2, 2, return_state=True, activity_regularizer="l2"), _LINES),
    "ConvLSTM2D": (ConvLSTM2D(2, 3, padding="same", return_sequences=True), _IMAGES),
    "ConvLSTM2D-strides": (ConvLSTM2D(2, 2, 2, "same", go_backwards=True), _IMAGES),
    "ConvLSTM2D-channels_first": (
        ConvLSTM2D(2, 2, return_sequences=True, data_format=_FIRST),
        _IMAGES,
    ),
    "ConvLSTM3D": (ConvLSTM3D(2, 2), _VOLUMES),
    "Bidirectional-convolutional": (
        Bidirectional(ConvLSTM2D(2, 2, return_sequences=True), "ave"),
        _IMAGES,
    ),
}

_STARTED = {
    "SimpleRNN-initial_state": SimpleRNN(4),
    "LSTM-initial_state": LSTM(4, return_sequences=True, return_state=True),
    "LSTM-initial_state_dropout": LSTM(4, recurrent_dropout=0.4),
    "GRU-initial_state": GRU(4, go_backwards=True),
    "Bidirectional-initial_state": Bidirectional(GRU(4)),
}


_CARRIED = {
    "SimpleRNN-stateful": SimpleRNN(4, stateful=True),
    "LSTM-stateful": LSTM(4, return_sequences=True, return_state=True, stateful=True),
    "LSTM-stateful_dropout": LSTM(4, recurrent_dropout=0.4, stateful=True),
    "GRU-stateful_backwards": GRU(4, go_backwards=True, stateful=True),
    "Bidirectional-stateful": Bidirectional(LSTM(3, return_sequences=True, stateful=True)),
}


def _carried(
    name: str, layer: AbstractStates, given: Array = _X, training: bool = True
) -> EquationCase:
    """Return a case that starts with given states and compares the states it carries on."""
    x = Input(given.shape[1:], batch_size=len(given))
    model = Model(x, layer(x))
    return EquationCase(name, model, (given,), reduced=80, of=layer, training=training)


def _started(name: str, layer: AbstractStates) -> EquationCase:
    """Return a case in which the initial states are inputs too."""
    x, states = Input((6, 5)), [Input((4,)) for _ in layer.state_names]
    model = Model([x, *states], layer(x, initial_state=states))
    arrays = (normal(3, 4, key=k) for k, _ in enumerate(states))
    return EquationCase(name, model, (_X, *arrays), reduced=60, of=layer)


def _started_with_lines() -> EquationCase:
    layer = ConvLSTM1D(2, 3, padding="same", return_sequences=True, data_format=_FIRST)
    x, mask, h, c = Input((6, 2, 7)), Input((6,)), Input((2, 7)), Input((2, 7))
    model = Model([x, mask, h, c], layer(x, mask, initial_state=[h, c]))
    arrays = (normal(3, 6, 2, 7), _MASK, normal(3, 2, 7, key=1), normal(3, 2, 7, key=2))
    return EquationCase("ConvLSTM1D-mask_and_state", model, arrays, reduced=60, of=layer)


def _input(name: str) -> Array:
    return normal(2, 3, 4, 3) if name.endswith(("nested", "-recurrent")) else _X


_LABELS = np.array([[2, 2, 1], [3, 1, -1], [1, -1, -1], [-1, -1, -1]])
_LOGITS = normal(4, 9, 5, scale=2.0)

_CTC = {
    "CTC": EquationCase("CTC", CTC(3), (_LOGITS, _LABELS), reduced=45),
    "last": EquationCase("CTC-blank_last", CTC(3, blank=4), (_LOGITS, _LABELS), reduced=45),
    "keras": EquationCase("CTC-keras", CTC.keras(3), (_LOGITS, np.maximum(_LABELS, 0)), reduced=45),
    "long": EquationCase("CTC-long", CTC(3), (normal(4, 60, 5, scale=2.0), _LABELS), reduced=300),
    "one": EquationCase(
        "CTC-one_label", CTC(1), (normal(2, 3, 4), np.array([[1], [-1]])), reduced=12
    ),
    "unfit": EquationCase(
        "CTC-too_few_frames", CTC(3), (normal(4, 3, 5), _LABELS), gradient=False, reduced=15
    ),
}

RECURRENT_CASES: list[EquationCase] = [
    *(EquationCase(name, layer, (_input(name),), reduced=60) for name, layer in _PLAIN.items()),
    *(EquationCase(name, layer, (_X, _MASK), reduced=60) for name, layer in _MASKED.items()),
    *(_started(name, layer) for name, layer in _STARTED.items()),
    *(_carried(name, layer) for name, layer in _CARRIED.items()),
    _carried("ConvLSTM1D-stateful", ConvLSTM1D(2, 2, data_format=_FIRST, stateful=True), _LINES),
    _carried("LSTM-stateful_evaluation", LSTM(4, stateful=True), training=False),
    *(EquationCase(name, layer, (x,), reduced=80) for name, (layer, x) in _CONVOLUTIONAL.items()),
    _started_with_lines(),
    *_CTC.values(),
    EquationCase("LSTM-long", LSTM(8), (normal(2, 120, 3),), reduced=400),
    EquationCase("LSTM-wide", LSTM(70), (normal(33, 4, 9),), reduced=300),
    EquationCase("LSTM-prelu", LSTM(4, "prelu", "prelu"), (normal(2, 3, 2),), reduced=20),
    EquationCase("LSTM-one_step", LSTM(4), (normal(1, 1, 2),)),
    EquationCase("LSTM-evaluation", LSTM(4, dropout=0.5), (_X,), reduced=60, training=False),
]

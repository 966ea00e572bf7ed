"""Live trainings of MindSpore, compared with those of Keras and with runs."""

from __future__ import annotations

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge import align

ms = pytest.importorskip("mindspore")
nn = pytest.importorskip("mindspore.nn")

IMAGES = (
    np.random.default_rng(0).normal(size=(24, 8, 8, 1)).astype(np.float32),
    np.random.default_rng(1).integers(0, 3, 24).astype(np.int32),
)
ROWS = (
    np.random.default_rng(0).normal(size=(24, 5)).astype(np.float32),
    np.random.default_rng(1).normal(size=(24, 1)).astype(np.float32),
)
STEPS = (
    np.random.default_rng(0).normal(size=(16, 4, 3)).astype(np.float32),
    np.random.default_rng(1).normal(size=(16, 1)).astype(np.float32),
)


class LeNet(nn.Cell):
    """Written as people write it: activations are Cells that are used again, channels first."""

    def __init__(self, norm):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, pad_mode="valid", has_bias=True)
        self.bn = nn.BatchNorm2d(4, **norm)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2, 2)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Dense(4 * 3 * 3, 5)
        self.drop = nn.Dropout(p=0.5)
        self.fc2 = nn.Dense(5, 3)

    def construct(self, x):
        x = self.pool(self.relu(self.bn(self.conv1(x))))
        return self.fc2(self.drop(self.relu(self.fc1(self.flatten(x)))))


KERAS_NORM = {"eps": 1e-3, "momentum": 0.99}


def lenet(norm=None, rate=1e-3, eps=1e-7):
    cell = LeNet(KERAS_NORM if norm is None else norm)
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    return cell, loss, nn.Adam(cell.trainable_params(), rate, eps=eps)


def keras_lenet():
    keras = pytest.importorskip("keras")
    of = keras.layers
    layers = [of.Conv2D(4, 3), of.BatchNormalization(), of.ReLU(), of.MaxPooling2D(), of.Flatten()]
    layers += [of.Dense(5, "relu"), of.Dropout(0.5), of.Dense(3, "softmax")]
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def dense(act="tanh", rate=0.1):
    cell = nn.SequentialCell(nn.Dense(5, 4, activation=act), nn.BatchNorm1d(4), nn.Dense(4, 1))
    return cell, nn.MSELoss(), nn.Momentum(cell.trainable_params(), rate, 0.9)


def parameters(training):
    cell, _, optimizer = training
    return [each.asnumpy().copy() for each in (*cell.get_parameters(), *optimizer.get_parameters())]


def named(found):
    return [(d.stage, c.argument and c.argument.name) for d, c in found.found]


def test_a_correct_translation_differs_in_the_running_variance_alone():
    model, training = keras_lenet(), lenet()
    before, weights = parameters(training), model.get_weights()
    found = align(model, training, IMAGES, 3, 8)
    assert named(found) == [("statistics", "unbiased")], str(found)
    assert any("probabilities" in note for note in found.notes)
    assert any("Dropout and noise are off" in note for note in found.notes)
    for made, expected in zip(parameters(training), before, strict=True):
        np.testing.assert_array_equal(made, expected)
    for made, expected in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(made, expected)


def test_a_translation_by_class_names_has_all_its_causes():
    found = align(keras_lenet(), lenet({}, eps=1e-8), IMAGES, 2, 8)
    assert sorted(named(found)) == [
        ("layer", "epsilon"),
        ("statistics", "momentum"),
        ("statistics", "unbiased"),
        ("update", "epsilon"),
    ], str(found)
    assert found.first.where == "batch_normalization" or "batch_norm" in found.first.where
    assert {cause.rule for cause in found.causes} >= {"batch-norm-defaults", "adam-epsilon"}


def test_the_order_may_be_turned():
    first = (IMAGES[0].transpose(0, 3, 1, 2), IMAGES[1])
    found = align(lenet(rate=2e-3), keras_lenet(), first, 2, 8)
    assert named(found) == [("update", "learning_rate"), ("statistics", "unbiased")], str(found)
    assert found.first.where == "conv1/kernel"


def test_a_run_is_compared_with_the_cell_it_was_read_from():
    training = dense()
    imported = db.from_mindspore(training[0], (5,), loss=training[1], optimizer=training[2])
    for backend in ("reference", "mindspore"):
        found = align(imported.compile(backend), training, ROWS, 4, 8)
        assert found.agrees, str(found)
        assert found.compared > 4 * 15


def test_another_activation_is_named():
    imported = db.from_mindspore(dense()[0], (5,), loss=nn.MSELoss(), optimizer=db.SGD(0.1, 0.9))
    found = align(imported.compile("reference"), dense("relu"), ROWS, 2, 8)
    assert named(found) == [("layer", "activation")], str(found)


@pytest.mark.parametrize("training", [True, False])
def test_a_cell_for_training_steps(training):
    cell, loss, optimizer = dense()
    step = nn.TrainOneStepCell(nn.WithLossCell(cell, loss), optimizer)
    step.set_train(training)
    imported = db.from_mindspore(cell, (5,), loss=loss, optimizer=optimizer)
    found = align(imported.compile("reference"), step, ROWS, 2, 8)
    if training:
        assert found.agrees, str(found)
    else:  # set_train() was forgotten: the running statistics stay what they are
        assert "frozen" in {cause.argument.name for cause in found.causes}, str(found)
    assert cell.training is training


def test_an_optimizer_with_a_schedule_goes_on_where_it_stood():
    cell = nn.Dense(5, 1)
    rates = nn.exponential_decay_lr(0.1, 0.5, 8, 1, 1)
    training = cell, nn.MSELoss(), nn.Adam(cell.trainable_params(), rates)
    x, y = ms.Tensor(ROWS[0]), ms.Tensor(ROWS[1])
    step = nn.TrainOneStepCell(nn.WithLossCell(*training[:2]), training[2])
    step(x, y)
    imported = db.from_mindspore(cell, (5,), loss=training[1], optimizer=training[2])
    found = align(training, imported.compile("reference"), ROWS, 3, 8)
    assert found.agrees, str(found)


def test_weights_of_examples():
    cell, loss, optimizer = dense()
    imported = db.from_mindspore(cell, (5,), loss=loss, optimizer=optimizer)
    weights = np.linspace(0.0, 3.0, 24).astype(np.float32)
    pair = imported.compile("reference"), imported.compile("mindspore")
    assert align(*pair, (*ROWS, weights), 3, 8).agrees
    with pytest.raises(db.errors.DTypeError, match="loss of MindSpore"):
        align(pair[0], dense(), (*ROWS, weights), 1, 8)


def test_models_of_other_networks_are_refused():
    model = db.Sequential([db.Input((5,)), db.Dense(1)])
    run = db.compile(db.Experiment(model, "mse", "sgd"), "reference")
    with pytest.raises(db.errors.DataError, match="same weights"):
        align(run, dense(), ROWS, 1, 8)
    with pytest.raises(db.errors.DTypeError, match="Cell, loss, optimizer"):
        align(dense()[0], dense(), ROWS, 1, 8)


class Recurrent(nn.Cell):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, batch_first=True)
        self.head = nn.Dense(4, 1)

    def construct(self, x):
        return self.head(self.lstm(x)[0][:, -1])


def test_the_two_biases_of_an_lstm_are_told_from_the_one_of_keras():
    keras = pytest.importorskip("keras")
    layers = [keras.layers.LSTM(4, name="lstm"), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((4, 3)), *layers])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    cell = Recurrent()
    training = cell, nn.MSELoss(), nn.SGD(cell.trainable_params(), 0.1)
    found = align(model, training, STEPS, 2, 8)
    assert [(d.stage, d.where, c.rule) for d, c in found.found] == [
        ("update", "lstm/bias", "lstm-biases")
    ], str(found)

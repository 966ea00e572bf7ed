"""`from_mindspore`: the training goes on as in MindSpore."""

from __future__ import annotations

import numpy as np
import pytest

ms = pytest.importorskip("mindspore")

from convert.mindspore_cells import randomized  # noqa: E402
from mindspore import Tensor, nn, ops  # noqa: E402

import dnnbridge as db  # noqa: E402
from dnnbridge.errors import ConversionError  # noqa: E402


def native_losses(cell, loss, optimizer, x, y, steps):
    grad = ms.jit(ms.value_and_grad(lambda x, y: loss(cell(x), y), None, optimizer.parameters))
    cell.set_train()
    found = []
    for _ in range(steps):
        value, grads = grad(Tensor(x), Tensor(y))
        optimizer(grads)
        found.append(float(value.asnumpy()))
    return found


SMOOTH = {
    "sgd": lambda p: nn.SGD(p, 0.05, momentum=0.9, weight_decay=1e-3),
    "nesterov": lambda p: nn.SGD(p, 0.05, momentum=0.9, nesterov=True),
    "momentum": lambda p: nn.Momentum(p, 0.05, 0.8),
    "adam": lambda p: nn.Adam(p, 0.01, weight_decay=1e-3),
    "amsgrad": lambda p: nn.Adam(p, 0.01, use_amsgrad=True),
    "adam weight decay": lambda p: nn.AdamWeightDecay(p, 1e-3, weight_decay=0.01),
    "adamax": lambda p: nn.AdaMax(p, 0.01),
    "rmsprop": lambda p: nn.RMSProp(p, 0.01),
    "rmsprop centered": lambda p: nn.RMSProp(p, 0.01, centered=True, momentum=0.5),
    "ftrl": lambda p: nn.FTRL(p, learning_rate=0.05),
    "proximal": lambda p: nn.ProximalAdagrad(p, learning_rate=0.05),
    "lazy adam": lambda p: nn.LazyAdam(p, 0.01),
    "adagrad": lambda p: nn.Adagrad(p, learning_rate=0.05),
    "adadelta": lambda p: nn.Adadelta(p),
    "schedule": lambda p: nn.Momentum(p, nn.ExponentialDecayLR(0.1, 0.9, 4), 0.9),
    "groups": lambda p: nn.Adam([{"params": p[:3], "lr": 0.02}, {"params": p[3:]}], 0.01),
    "table": lambda p: nn.SGD(p, [0.1 / (1 + i) for i in range(40)], momentum=0.5),
}


def smooth():
    """Without kinks, so that rounding cannot change a branch."""
    return nn.SequentialCell(
        nn.Conv2d(2, 4, 3, pad_mode="pad", padding=1),
        nn.BatchNorm2d(4),
        nn.SiLU(),
        nn.AvgPool2d(2, 2),
        nn.Flatten(),
        nn.Dense(16, 5),
    )


def with_slow(names, fast):
    """Mark all but some as slow: each of them compiles an optimizer."""
    return [n if n in fast else pytest.param(n, marks=pytest.mark.slow) for n in names]


@pytest.mark.parametrize("name", with_slow(SMOOTH, {"adam"}))
def test_the_training_goes_on_as_in_mindspore(name, monkeypatch):
    monkeypatch.setenv("MS_JIT", "0")  # without it each optimizer compiles for ten seconds
    cell = randomized(smooth())
    loss, optimizer = nn.CrossEntropyLoss(), SMOOTH[name](cell.trainable_params())
    random = np.random.default_rng(2)
    x = random.normal(size=(8, 2, 4, 4)).astype(np.float32)
    y = random.integers(0, 5, 8).astype(np.int32)
    native_losses(cell, loss, optimizer, x, y, 3)
    imported = db.from_mindspore(cell, (2, 4, 4), loss=loss, optimizer=optimizer)
    assert imported.step == 3
    run = imported.compile("reference")
    history = run.fit(x, y, batch_size=8, epochs=20)
    theirs = native_losses(cell, loss, optimizer, x, y, 20)
    np.testing.assert_allclose(history.history["loss"], theirs, rtol=2e-5)


class Numbers(nn.Cell):
    """Parameters outside of layers, in every place where one can stand."""

    def __init__(self):
        super().__init__()
        self.row = ms.Parameter(Tensor(np.ones(4, np.float32)), name="row")
        self.table = ms.Parameter(Tensor(np.ones((3, 4), np.float32)), name="table")
        self.channel = ms.Parameter(Tensor(np.ones((1, 3, 1), np.float32)), name="channel")
        self.number = ms.Parameter(Tensor(np.ones(1, np.float32)), name="number")
        self.matrix = ms.Parameter(Tensor(np.ones((5, 4), np.float32)), name="matrix")

    def construct(self, x):
        x = (self.row - x) * self.channel + self.table
        x = ops.sigmoid(x * self.number)
        return ops.matmul(x, self.matrix.T) + self.number


def test_parameters_outside_of_layers_are_trained_as_in_mindspore(monkeypatch):
    monkeypatch.setenv("MS_JIT", "0")
    cell = Numbers()
    with pytest.raises(ConversionError, match="another operation with the same parameter"):
        db.from_mindspore(cell, (3, 4))
    monkeypatch.setattr(
        Numbers,
        "construct",
        lambda self, x: ops.matmul(
            ops.sigmoid(((self.row - x) * self.channel + self.table) * self.number),
            self.matrix.T,
        ),
    )
    cell = randomized(cell)
    loss, optimizer = nn.MSELoss(), nn.Adam(cell.trainable_params(), 0.01)
    random = np.random.default_rng(5)
    x = random.normal(size=(8, 3, 4)).astype(np.float32)
    y = random.normal(size=(8, 3, 5)).astype(np.float32)
    native_losses(cell, loss, optimizer, x, y, 2)
    imported = db.from_mindspore(cell, (3, 4), loss=loss, optimizer=optimizer)
    history = imported.compile("reference").fit(x, y, batch_size=8, epochs=10, shuffle=False)
    theirs = native_losses(cell, loss, optimizer, x, y, 10)
    np.testing.assert_allclose(history.history["loss"], theirs, rtol=2e-5)

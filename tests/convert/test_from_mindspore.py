"""`from_mindspore`: predictions, next steps and refusals, with MindSpore as the witness."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest

ms = pytest.importorskip("mindspore")

from convert.mindspore_cells import ZOO, LeNet, Reader, Residual, mlp, randomized  # noqa: E402
from convert.mindspore_networks import NETWORKS  # noqa: E402
from mindspore import Tensor, nn, ops  # noqa: E402

import dnnbridge as db  # noqa: E402
from dnnbridge.errors import ConversionError, DTypeError  # noqa: E402

with suppress(SystemError):  # with NumPy 2 the first call in a process fails
    ops.reshape(Tensor(np.zeros((2, 1), np.float32)), (-1,))


def inputs(imported, count=4, seed=1):
    random = np.random.default_rng(seed)
    made = []
    for given in imported.model.input_types.values():
        shape = (count, *given.shape[1:])
        whole = given.dtype == "int32"
        made.append(
            random.integers(0, 11, shape).astype(np.int32)
            if whole
            else random.normal(size=shape).astype(np.float32)
        )
    return made


def ready(imported):
    """Give a model some loss and optimizer."""
    names = imported.model.output_names
    loss = "mse" if len(names) == 1 else None
    heads = None if loss else [db.Head(name, "mse") for name in names]
    fields = {"loss": loss, "optimizer": "sgd"} if loss else {"loss": heads, "optimizer": "sgd"}
    return imported.replace(**fields)


CELLS = {**ZOO, **NETWORKS}


@pytest.mark.parametrize("name", CELLS)
def test_the_predictions_are_those_of_the_cell(name):
    make, shape = CELLS[name]
    cell = randomized(make())
    cell.set_train()
    before = {p.name: p.asnumpy().copy() for p in cell.get_parameters()}
    imported = db.from_mindspore(cell, shape)
    assert cell.training
    assert all(np.array_equal(before[p.name], p.asnumpy()) for p in cell.get_parameters())
    x = inputs(imported)
    cell.set_train(False)
    theirs = cell(*map(Tensor, x))
    theirs = theirs if isinstance(theirs, tuple) else (theirs,)
    ours = ready(imported).compile("reference").predict(x if len(x) > 1 else x[0])
    ours = list(ours.values()) if isinstance(ours, dict) else [ours]
    for a, b in zip(ours, theirs, strict=True):
        scale = np.abs(a).max()
        tanh = name in ("rnn", "transformer", "sentiment", "time first", "generator", "handmade")
        np.testing.assert_allclose(b.asnumpy(), a, rtol=0, atol=(1e-4 if tanh else 1e-5) * scale)


LOSSES = {
    "mse": (nn.MSELoss, "numbers"),
    "l1": (nn.L1Loss, "numbers"),
    "huber": (lambda: nn.HuberLoss(delta=0.3), "numbers"),
    "smooth l1": (lambda: nn.SmoothL1Loss(reduction="mean"), "numbers"),
    "mae": (nn.MAELoss, "numbers"),
    "bce": (nn.BCEWithLogitsLoss, "bits"),
    "cross-entropy": (lambda: nn.CrossEntropyLoss(label_smoothing=0.1), "classes"),
    "softmax": (
        lambda: nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean"),
        "classes",
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_the_loss_is_that_of_mindspore(name):
    make, kind = LOSSES[name]
    loss, cell = make(), randomized(nn.SequentialCell(nn.Dense(4, 3)))
    random = np.random.default_rng(3)
    x = random.normal(size=(6, 4)).astype(np.float32)
    y = {
        "numbers": random.normal(size=(6, 3)).astype(np.float32),
        "bits": random.integers(0, 2, (6, 3)).astype(np.float32),
        "classes": random.integers(0, 3, 6).astype(np.int32),
    }[kind]
    imported = db.from_mindspore(cell, (4,), loss=loss, optimizer=db.SGD())
    ours = imported.compile("reference").evaluate(x, y)["loss"]
    assert ours == pytest.approx(float(loss(cell(Tensor(x)), Tensor(y)).asnumpy()), rel=1e-5)


class Bad(nn.Cell):
    def __init__(self):
        super().__init__()
        self.a = nn.Dense(4, 4)
        self.wide = nn.PixelShuffle(2)
        self.scale = ms.Parameter(Tensor(np.ones(4, np.float32)), name="scale")
        self.drop = 0.1

    def construct(self, x):
        y = ops.cumsum(self.a(x), 1)
        y = self.a(x) / self.scale + y
        y = ops.dropout(self.a(x), 0.3) + y
        if self.training:
            y = y * 2
        return self.a(x).sort()[0] + y


def test_an_error_names_everything_that_has_no_counterpart():
    with pytest.raises(ConversionError) as caught:
        db.from_mindspore(Bad(), (4,))
    text = str(caught.value)
    for part in (
        *("cumsum of (3, 4)", "a division by a parameter", "self.training"),
        *("training=self.training", "sort"),
    ):
        assert part in text


class Decides(nn.Cell):
    def construct(self, x):
        return x if x.sum() > 0 else -x


class Reads(nn.Cell):
    def construct(self, x):
        return x + float(x.asnumpy().max())


class Counts(nn.Cell):
    def construct(self, x):
        self.count = 1
        return x


class Folds(nn.Cell):
    def construct(self, x):
        return x.transpose(1, 0)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (Decides, "depends on the numbers"),
        (Reads, "asnumpy"),
        (Counts, "changes self.count"),
        (Folds, "first axis is not the batch"),
        (lambda: Reader(bidirectional=False, num_layers=1).rnn, "not a tensor"),
        (lambda: nn.SequentialCell(nn.PixelShuffle(2)), "PixelShuffle"),
    ],
)
def test_what_cannot_be_followed_is_an_error(cell, text):
    shape = {"not a tensor": (6, 6), "PixelShuffle": (4, 2, 2)}.get(text, (4,))
    with pytest.raises(ConversionError, match=text):
        db.from_mindspore(cell(), shape)


class Different(nn.Dense):
    """Inherits `construct`, but has something that it does not use."""


def test_a_difference_names_the_layer(monkeypatch):
    from dnnbridge.formats.mindspore import cells

    cell = randomized(Residual())
    wrong = cells._batch_norm(nn.BatchNorm2d(4), 4)[0]
    layer = wrong.layer.replace(epsilon=0.1)
    monkeypatch.setitem(cells.RULES, "BatchNorm2d", lambda c, rank: [wrong._replace(layer=layer)])
    with pytest.raises(ConversionError, match=r"layers.0.bn1.*other numbers"):
        db.from_mindspore(cell, (3, 8, 8))


def test_frozen_parameters_stay_frozen():
    cell = LeNet()
    for parameter in cell.conv1.get_parameters():
        parameter.requires_grad = False
    assert db.from_mindspore(cell, (1, 28, 28)).fields["frozen"] == ("conv1/kernel",)


def test_a_subclass_with_the_construct_of_a_layer_is_that_layer():
    imported = db.from_mindspore(nn.SequentialCell(Different(4, 3)), (4,))
    assert [node.layer.units for node in imported.model.nodes] == [3]


def test_what_has_no_counterpart_among_optimizers_is_a_note():
    cell = mlp()
    optimizer = type("Mine", (nn.SGD,), {})(cell.trainable_params())
    imported = db.from_mindspore(cell, (7,), loss=nn.MSELoss(), optimizer=optimizer)
    assert "Mine" in imported.report.notes[0]
    with pytest.raises(ConversionError, match="no optimizer"):
        imported.compile("reference")


def test_it_takes_a_cell():
    with pytest.raises(DTypeError, match="load_checkpoint"):
        db.from_mindspore("net.ckpt", (4,))

"""Losses of MindSpore as a training computes them: sums, and a softmax that is taken twice."""

import contextlib

import numpy as np
import pytest

import dnnbridge as db
from dnnbridge.formats.mindspore.compiled import NoCounterpartError, read_loss, summed

RNG = np.random.default_rng(4)


@pytest.fixture
def mindspore():
    return pytest.importorskip("mindspore")


@pytest.mark.parametrize("reduction", ["sum", "none"])
@pytest.mark.parametrize("name", ["BCEWithLogitsLoss", "BCELoss", "MSELoss", "L1Loss"])
def test_a_loss_without_mean_is_no_mean(mindspore, name, reduction):
    loss = getattr(mindspore.nn, name)(reduction=reduction)
    with pytest.raises(NoCounterpartError, match=f"nn.{name} with reduction='{reduction}'"):
        read_loss(loss)
    assert summed(loss).reduction == "sum"
    with pytest.raises(NoCounterpartError):  # the loss itself is as it was
        read_loss(loss)


def test_a_mean_is_no_sum(mindspore):
    loss = mindspore.nn.MSELoss()
    assert summed(loss) is None
    assert read_loss(loss) == db.MeanSquaredError()


@pytest.mark.parametrize("ends", [False, True])
def test_a_softmax_before_a_loss_of_logits_is_taken_twice_as_mindspore_does(mindspore, ends):
    nn, tensor = mindspore.nn, mindspore.Tensor
    net = nn.SequentialCell(nn.Dense(4, 3), *([nn.Softmax()] if ends else []))
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    optimizer = nn.SGD(net.trainable_params(), 0.1)
    imported = db.from_mindspore(net, (4,), loss=loss, optimizer=optimizer)
    x, y = RNG.normal(size=(6, 4)).astype(np.float32), (np.arange(6) % 3).astype(np.int32)
    expected = float(loss(net(tensor(x)), tensor(y)).asnumpy())
    with pytest.warns(db.LogitsWarning) if ends else contextlib.nullcontext():
        run = imported.compile("reference")
    np.testing.assert_allclose(run.evaluate(x, y)["loss"], expected, rtol=1e-5)

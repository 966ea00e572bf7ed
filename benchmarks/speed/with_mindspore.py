"""MindSpore's contestants: `Model.train`, and a Cell that contains the loop, in GRAPH_MODE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import nn, ops
from speed.workloads import Workload, residual_blocks

Epoch = Callable[[], object]


def mlp(inputs: int, units: tuple[int, ...], activation: type[nn.Cell]) -> nn.Cell:
    """Return a multilayer perceptron."""
    cells: list[nn.Cell] = []
    for n in units:
        cells += [nn.Dense(inputs, n), activation()]
        inputs = n
    return nn.SequentialCell([*cells, nn.Dense(inputs, 10)])


def lenet() -> nn.Cell:
    """Return LeNet-5 for channels-first images."""
    return nn.SequentialCell(
        [
            nn.Conv2d(1, 6, 5, pad_mode="same", has_bias=True),
            nn.Tanh(),
            nn.AvgPool2d(2, 2),
            nn.Conv2d(6, 16, 5, pad_mode="valid", has_bias=True),
            nn.Tanh(),
            nn.AvgPool2d(2, 2),
            nn.Flatten(),
            nn.Dense(400, 120),
            nn.Tanh(),
            nn.Dense(120, 84),
            nn.Tanh(),
            nn.Dense(84, 10),
        ]
    )


class Block(nn.Cell):
    """Two convolutions and a shortcut."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, stride, pad_mode="same")
        self.second = nn.Conv2d(width, width, 3, pad_mode="same")
        self.norms = nn.CellList([nn.BatchNorm2d(width), nn.BatchNorm2d(width)])
        self.shorten = nn.AvgPool2d(1, stride)
        self.extra, self.relu = (width - channels) // 2, nn.ReLU()

    def construct(self, x: Any) -> Any:
        y = self.relu(self.norms[0](self.first(x)))
        y = self.norms[1](self.second(y))
        if self.extra:
            x = self.shorten(x)
            zeros = ops.zeros((x.shape[0], self.extra, x.shape[2], x.shape[3]), x.dtype)
            x = ops.cat((zeros, x, zeros), 1)
        return self.relu(y + x)


class Resnet(nn.Cell):
    """ResNet-20 with padded shortcuts."""

    def __init__(self) -> None:
        super().__init__()
        blocks = [Block(*each) for each in residual_blocks()]
        first = [nn.Conv2d(3, 16, 3, pad_mode="same"), nn.BatchNorm2d(16), nn.ReLU()]
        self.body = nn.SequentialCell([*first, *blocks])
        self.head = nn.Dense(64, 10)

    def construct(self, x: Any) -> Any:
        return self.head(ops.mean(self.body(x), (2, 3)))


class Lstm(nn.Cell):
    """A net with MindSpore's own LSTM, which is one kernel on the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(32, 128, batch_first=True), nn.Dense(128, 10)

    def construct(self, x: Any) -> Any:
        y, _ = self.lstm(x)
        return self.head(y[:, -1])


class Transformer(nn.Cell):
    """A net with MindSpore's own encoder."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(1000, 64)
        self.positions = ms.Parameter(ms.Tensor(np.zeros((64, 64), np.float32)), name="positions")
        block = nn.TransformerEncoderLayer(64, 4, 128, dropout=0.0, batch_first=True)
        self.encoder, self.head = nn.TransformerEncoder(block, 2), nn.Dense(64, 10)

    def construct(self, words: Any) -> Any:
        x = self.encoder(self.words(words) + self.positions)
        return self.head(ops.mean(x, 1))


NETS: dict[str, Callable[[], nn.Cell]] = {
    "mlp": lambda: mlp(784, (300, 100), nn.ReLU),
    "wide": lambda: mlp(784, (784, 784), nn.Sigmoid),
    "adam": lambda: mlp(784, (784, 784), nn.Sigmoid),
    "lenet": lenet,
    "resnet": Resnet,
    "lstm": Lstm,
    "transformer": Transformer,
}
"""Nets by workload. Images are transposed before the contest, so no step has to do it."""


def prepared(work: Workload) -> tuple[nn.Cell, nn.Cell, nn.Optimizer, Any, Any]:
    """Return the net, the loss, the optimizer and the data of a workload."""
    ms.set_context(mode=ms.GRAPH_MODE)
    net = NETS[work.name]()
    x, y = work.data("mindspore")
    if x.ndim == 4:
        x = np.ascontiguousarray(np.transpose(x, (0, 3, 1, 2)))
    weights = net.trainable_params()
    sgd = work.optimizer == "sgd"
    optimizer = nn.Momentum(weights, 0.01, 0.9) if sgd else nn.Adam(weights, 0.001)
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    return net, loss, optimizer, x, y


def train(work: Workload) -> Epoch:
    """Return the contestant that runs `Model.train`."""
    net, loss, optimizer, x, y = prepared(work)
    model = ms.Model(net, loss, optimizer)
    data = ms.dataset.NumpySlicesDataset((x, y), shuffle=True).batch(work.batch)

    def epoch() -> None:
        ms.set_context(mode=ms.GRAPH_MODE)
        model.train(work.epochs["mindspore"], data, dataset_sink_mode=False)

    return epoch


class Loop(nn.Cell):
    """All steps of an epoch in one graph, which has the data as parameters."""

    def __init__(self, net: nn.Cell, loss: nn.Cell, optimizer: nn.Optimizer, x: Any, y: Any):
        super().__init__()
        self.net, self.loss, self.optimizer = net, loss, optimizer
        self.x = ms.Parameter(ms.Tensor(x), name="data_x", requires_grad=False)
        self.y = ms.Parameter(ms.Tensor(y), name="data_y", requires_grad=False)
        self.step = ms.value_and_grad(self.forward, None, optimizer.parameters)

    def forward(self, x: Any, y: Any) -> Any:
        return self.loss(self.net(x), y)

    def construct(self, order: Any, steps: Any, total: Any) -> Any:
        k = ms.Tensor(0, ms.int32)
        while k < steps:
            index = ops.gather(order, k, 0)
            loss, gradients = self.step(ops.gather(self.x, index, 0), ops.gather(self.y, index, 0))
            total = total + ops.depend(loss, self.optimizer(gradients))
            k = k + 1
        return total


def loop(work: Workload) -> Epoch:
    """Return the contestant that runs the loop in `construct`."""
    cell = Loop(*prepared(work)).set_train()
    rows = work.steps["mindspore"] * work.batch
    rng = np.random.default_rng(0)

    def epoch() -> object:
        ms.set_context(mode=ms.GRAPH_MODE)
        for _ in range(work.epochs["mindspore"]):
            order = rng.permutation(rows).astype(np.int32).reshape(-1, work.batch)
            total = cell(ms.Tensor(order), ms.Tensor(len(order), ms.int32), ms.Tensor(0.0))
            found = total.asnumpy()
        return found

    return epoch


CONTESTANTS: dict[str, Callable[[Workload], Epoch]] = {
    "Model.train": train,
    "GRAPH_MODE loop": loop,
}

"""PyTorch's contestants, if it is installed: eager and `torch.compile`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from speed.workloads import Workload, residual_blocks
from torch import nn

Epoch = Callable[[], object]


def mlp(inputs: int, units: tuple[int, ...], activation: type[nn.Module]) -> nn.Module:
    """Return a multilayer perceptron."""
    modules: list[nn.Module] = []
    for n in units:
        modules += [nn.Linear(inputs, n), activation()]
        inputs = n
    return nn.Sequential(*modules, nn.Linear(inputs, 10))


def lenet() -> nn.Module:
    """Return LeNet-5."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.Tanh(),
        nn.Linear(120, 84),
        nn.Tanh(),
        nn.Linear(84, 10),
    )


class Block(nn.Module):
    """Two convolutions and a padded shortcut."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(width), nn.BatchNorm2d(width)])
        self.stride, self.extra = stride, (width - channels) // 2

    def forward(self, x: Any) -> Any:
        y = torch.relu(self.norms[0](self.first(x)))
        y = self.norms[1](self.second(y))
        x = x[:, :, :: self.stride, :: self.stride]
        return torch.relu(y + nn.functional.pad(x, (0, 0, 0, 0, self.extra, self.extra)))


class Resnet(nn.Module):
    """ResNet-20."""

    def __init__(self) -> None:
        super().__init__()
        blocks = [Block(*each) for each in residual_blocks()]
        start = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
        self.body, self.head = nn.Sequential(*start, *blocks), nn.Linear(64, 10)

    def forward(self, x: Any) -> Any:
        return self.head(self.body(x).mean((2, 3)))


class Lstm(nn.Module):
    """A net on the last state of an LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(32, 128, batch_first=True), nn.Linear(128, 10)

    def forward(self, x: Any) -> Any:
        return self.head(self.lstm(x)[0][:, -1])


class Transformer(nn.Module):
    """An encoder of two blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(1000, 64)
        self.positions = nn.Parameter(torch.zeros(64, 64))
        block = nn.TransformerEncoderLayer(64, 4, 128, dropout=0.0, batch_first=True)
        self.encoder, self.head = nn.TransformerEncoder(block, 2), nn.Linear(64, 10)

    def forward(self, words: Any) -> Any:
        return self.head(self.encoder(self.words(words.long()) + self.positions).mean(1))


MODELS: dict[str, Callable[[], nn.Module]] = {
    "mlp": lambda: mlp(784, (300, 100), nn.ReLU),
    "wide": lambda: mlp(784, (784, 784), nn.Sigmoid),
    "adam": lambda: mlp(784, (784, 784), nn.Sigmoid),
    "lenet": lenet,
    "resnet": Resnet,
    "lstm": Lstm,
    "transformer": Transformer,
}


def loop(compiled: bool) -> Callable[[Workload], Epoch]:
    """Return a contestant that loops over the batches of an epoch."""

    def make(work: Workload) -> Epoch:
        model = MODELS[work.name]()
        x, y = (torch.from_numpy(array) for array in work.data("torch"))
        if x.ndim == 4:
            x = x.permute(0, 3, 1, 2).contiguous()
        weights = model.parameters()
        sgd = work.optimizer == "sgd"
        made = torch.optim.SGD(weights, 0.01, 0.9) if sgd else torch.optim.Adam(weights, 0.001)
        forward = torch.compile(model) if compiled else model

        def epoch() -> None:
            for _ in range(work.epochs["torch"]):
                for index in torch.randperm(len(x)).reshape(-1, work.batch):
                    made.zero_grad()
                    nn.functional.cross_entropy(forward(x[index]), y[index].long()).backward()
                    made.step()

        return epoch

    return make


CONTESTANTS: dict[str, Callable[[Workload], Epoch]] = {
    "torch eager": loop(compiled=False),
    "torch.compile": loop(compiled=True),
}

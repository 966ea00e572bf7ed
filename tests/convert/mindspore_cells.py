"""Small Cells of MindSpore, as users write them."""

from __future__ import annotations

import mindspore
import numpy as np
from mindspore import Tensor, mint, nn, ops


def randomized(cell, seed=0):
    """Give every parameter other numbers, so that none is exchanged unnoticed."""
    random = np.random.default_rng(seed)
    for parameter in cell.get_parameters():
        low, high = (0.5, 1.5) if "variance" in parameter.name else (-0.5, 0.5)
        values = random.uniform(low, high, parameter.shape).astype(parameter.asnumpy().dtype)
        ops.assign(parameter, Tensor(values))
    return cell


class LeNet(nn.Cell):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, pad_mode="valid")
        self.conv2 = nn.Conv2d(6, 16, 5, pad_mode="pad", padding=1, has_bias=True)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2, 2)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Dense(16 * 5 * 5, 32, activation="relu")
        self.fc2 = nn.Dense(32, 10)

    def construct(self, x):
        x = self.pool(self.relu(self.conv1(x)))
        x = self.pool(self.relu(self.conv2(x)))
        return self.fc2(self.fc1(self.flatten(x)))


class Block(nn.Cell):
    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, pad_mode="pad", padding=1)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, pad_mode="same")
        self.bn2 = nn.BatchNorm2d(out, momentum=0.8, eps=1e-3)
        self.down = None
        if stride != 1 or channels != out:
            self.down = nn.SequentialCell(
                nn.Conv2d(channels, out, 1, stride, pad_mode="valid"), nn.BatchNorm2d(out)
            )

    def construct(self, x):
        identity = x if self.down is None else self.down(x)
        y = ops.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += identity
        return mint.nn.functional.relu(y)


class Residual(nn.Cell):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3)
        self.layers = nn.CellList([Block(4, 4, 1), Block(4, 6, 2)])
        self.head = nn.Dense(6, 5)

    def construct(self, x):
        x = self.stem(x)
        for layer in self.layers:
            x = layer(x)
        return self.head(self.pooled(x))

    def pooled(self, x):
        return ops.ReduceMean(keep_dims=False)(x, (2, 3))


def mlp():
    return nn.SequentialCell(
        nn.Dense(7, 9),
        nn.LayerNorm((9,)),
        nn.GELU(approximate=False),
        nn.Dense(9, 9, activation=nn.LeakyReLU(0.1)),
        nn.PReLU(9),
        nn.Dense(9, 3),
    )


class Reader(nn.Cell):
    """A classifier of sequences of words."""

    def __init__(self, kind=nn.LSTM, **options):
        super().__init__()
        self.embedding = nn.Embedding(11, 6)
        self.rnn = kind(6, 5, batch_first=True, **options)
        width = 10 if options.get("bidirectional") else 5
        self.fc = nn.Dense(width, 4)

    def construct(self, tokens):
        y, _ = self.rnn(self.embedding(tokens))
        return self.fc(y[:, -1, :])


class LastState(Reader):
    """The same from the last state."""

    def construct(self, tokens):
        _, (h, _) = self.rnn(self.embedding(tokens))
        return self.fc(h[-1])


class Inverted(nn.Cell):
    """A block of MobileNetV2."""

    def __init__(self):
        super().__init__()
        self.expand = nn.Conv2d(4, 12, 1, pad_mode="valid")
        self.bn1 = nn.BatchNorm2d(12)
        self.depthwise = nn.Conv2d(12, 12, 3, pad_mode="same", group=12)
        self.bn2 = nn.BatchNorm2d(12)
        self.project = nn.Conv2d(12, 4, 1, pad_mode="valid")
        self.act = nn.ReLU6()
        self.add = ops.Add()
        self.avg = nn.AvgPool2d(2, 2)

    def construct(self, x):
        y = self.act(self.bn1(self.expand(x)))
        y = nn.HSwish()(self.bn2(self.depthwise(y)))
        y = self.add(x, self.project(y))
        return self.avg(y).reshape(x.shape[0], -1)


class Transformer(nn.Cell):
    """A block with attention written by hand, and one of MindSpore."""

    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm((8,), epsilon=1e-5), nn.LayerNorm((8,))
        self.qkv = nn.Dense(8, 24)
        self.out = nn.Dense(8, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.mlp = nn.SequentialCell(nn.Dense(8, 16, activation="gelu"), nn.Dense(16, 8))

    def construct(self, x):
        b, t, c = x.shape
        q, k, v = ops.split(self.qkv(self.norm1(x)), 8, axis=-1)
        q, k, v = (h.reshape(b, t, 2, 4).transpose(0, 2, 1, 3) for h in (q, k, v))
        scores = ops.softmax(ops.matmul(q, k.swapaxes(-1, -2)) / 4**0.5, axis=-1)
        y = ops.matmul(scores, v).transpose(0, 2, 1, 3).view(b, t, c)
        x = x + self.out(y)
        n = self.norm2(x)
        x = x + self.attention(n, n, n)[0]
        return (x + self.mlp(x)).mean(axis=1)


class TwoInputs(nn.Cell):
    """Two inputs, two outputs, a shared layer and arithmetic."""

    def __init__(self):
        super().__init__()
        self.shared = nn.Dense(4, 4)
        self.cat = ops.Concat(axis=1)
        self.a, self.b = nn.Dense(8, 2), nn.Dense(8, 3)

    def construct(self, x, y):
        both = self.cat((self.shared(x), mindspore.ops.sigmoid(self.shared(y)) * 2.0 - 1))
        return self.a(both), ops.exp(-abs(self.b(both)))


class Grower(nn.Cell):
    def __init__(self):
        super().__init__()
        self.up = nn.Conv2dTranspose(3, 4, 3, stride=2, has_bias=True)
        self.norm = nn.GroupNorm(2, 4)
        self.flat = nn.Conv1d(4, 5, 3, has_bias=True)
        self.valid = nn.Conv2dTranspose(4, 2, 3, stride=2, pad_mode="pad", padding=1)

    def construct(self, x):
        y = self.norm(self.up(x))
        return self.valid(y).flatten(start_dim=1), self.flat(y.mean(-1))


ZOO = {
    "lenet": (LeNet, (1, 28, 28)),
    "residual": (Residual, (3, 8, 8)),
    "mlp": (mlp, (7,)),
    "lstm": (Reader, (6,)),
    "last state": (LastState, (6,)),
    "bilstm": (lambda: Reader(num_layers=2, bidirectional=True), (6,)),
    "gru": (lambda: Reader(nn.GRU), (6,)),
    "bigru": (lambda: Reader(nn.GRU, num_layers=2, bidirectional=True), (6,)),
    "rnn": (lambda: Reader(nn.RNN, nonlinearity="relu"), (6,)),
    "mobile": (Inverted, (4, 6, 6)),
    "transformer": (Transformer, (5, 8)),
    "two": (TwoInputs, [(4,), (4,)]),
    "grower": (Grower, (3, 5, 5)),
}
"""A Cell and its input shapes, by name."""

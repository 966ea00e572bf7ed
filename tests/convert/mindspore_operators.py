"""Small Cells with parameters in operators, functions of `mint` and pools."""

from __future__ import annotations

import numpy as np
from mindspore import Parameter, Tensor, mint, nn, ops


class AutoEncoder(nn.Cell):
    def __init__(self):
        super().__init__()
        self.encoder = nn.SequentialCell(nn.Dense(12, 6), nn.Sigmoid(), nn.Dense(6, 3))
        self.decoder = nn.SequentialCell(nn.Dense(3, 6), nn.Sigmoid(), nn.Dense(6, 12))

    def construct(self, x):
        code = self.encoder(x)
        return self.decoder(code), code


class MintNet(nn.Cell):
    """Layers and functions of `mint` that have kernels for CPUs."""

    def __init__(self):
        super().__init__()
        self.norm = mint.nn.GroupNorm(2, 4)
        self.fc1, self.fc2 = mint.nn.Linear(36, 16), mint.nn.Linear(16, 3, bias=False)
        self.drop = mint.nn.Dropout(0.1)

    def construct(self, x):
        x = mint.flatten(self.norm(x), 1)
        x = mint.nn.functional.dropout(self.fc1(x), p=0.2, training=self.training)
        return mint.softmax(self.fc2(self.drop(mint.nn.functional.relu(x))), dim=-1)


class Handmade(nn.Cell):
    """Parameters in operators, as in the tutorial of `nn.Cell`."""

    def __init__(self):
        super().__init__()
        self.w = Parameter(Tensor(np.ones((6, 4), np.float32)), name="w")
        self.b = Parameter(Tensor(np.ones(4, np.float32)), name="b")
        self.v = Parameter(Tensor(np.ones((3, 4), np.float32)), name="v")
        self.alpha = Parameter(Tensor(np.ones(1, np.float32)), name="alpha")
        self.fixed = Tensor(np.linspace(1, 2, 4, dtype=np.float32))

    def construct(self, x):
        z = ops.matmul(x, self.w) + self.b
        z = ops.tanh(z) * self.fixed - self.b
        y = ops.dense(z, self.v)
        return self.alpha * y


class Volumes(nn.Cell):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv3d(1, 2, 3, pad_mode="pad", padding=1)
        self.average = nn.AvgPool3d(2, 2)
        self.up = nn.Conv3dTranspose(2, 3, 2, 2)
        self.largest = nn.MaxPool3d(3, 2, pad_mode="pad", padding=1)
        self.scale = Parameter(Tensor(np.ones(3, np.float32)), name="scale")

    def construct(self, x):
        x = self.up(self.average(self.conv(x)))
        return self.largest(x * self.scale.reshape(1, -1, 1, 1, 1))


class Pools(nn.Cell):
    def __init__(self):
        super().__init__()
        self.pad = nn.ZeroPad2d((1, 0, 2, 1))
        self.average = nn.AvgPool2d(3, 2, pad_mode="pad", padding=1, count_include_pad=False)
        self.counted = nn.AvgPool2d(3, 1, pad_mode="pad", padding=1, ceil_mode=True)
        self.largest = nn.MaxPool1d(3, 2, pad_mode="pad", padding=1)
        self.adaptive = nn.AdaptiveAvgPool1d(2)

    def construct(self, x):
        x = self.counted(self.average(self.pad(x)))
        x = x.flatten(start_dim=2)
        return self.adaptive(self.largest(x))

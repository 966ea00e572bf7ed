"""Networks as tutorials of MindSpore write them, in small."""

from __future__ import annotations

import mindspore as ms
import numpy as np
from convert.mindspore_operators import AutoEncoder, Handmade, MintNet, Pools, Volumes
from mindspore import Parameter, Tensor, mint, nn, ops
from mindspore import dtype as mstype
from mindspore.common.initializer import Normal, initializer


class Classifier(nn.Cell):
    """The first network of the tutorials."""

    def __init__(self):
        super().__init__()
        self.flatten = nn.Flatten()
        self.dense_relu_sequential = nn.SequentialCell(
            nn.Dense(8 * 8, 16, weight_init=Normal(0.02)), nn.ReLU(), nn.Dense(16, 10)
        )

    def construct(self, x):
        return self.dense_relu_sequential(self.flatten(x))


def vgg():
    layers, channels = [], 3
    for size in (4, "M", 8, 8, "M"):
        if size == "M":
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
        else:
            layers += [
                nn.Conv2d(channels, size, kernel_size=3, padding=1, pad_mode="pad", has_bias=True),
                nn.BatchNorm2d(size),
                nn.ReLU(),
            ]
            channels = size
    return Vgg(nn.SequentialCell(layers))


class Vgg(nn.Cell):
    def __init__(self, features):
        super().__init__()
        self.features = features
        self.classifier = nn.SequentialCell(
            nn.Dense(8 * 2 * 2, 12), nn.ReLU(), nn.Dropout(p=0.5), nn.Dense(12, 4)
        )

    def construct(self, x):
        x = self.features(x)
        x = x.reshape(x.shape[0], -1)
        return self.classifier(x)


class BasicBlock(nn.Cell):
    expansion = 1

    def __init__(self, inputs, outputs, stride=1, down_sample=None):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride)
        self.conv2 = nn.Conv2d(outputs, outputs, kernel_size=3)
        self.norm = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        self.down_sample = down_sample

    def construct(self, x):
        identity = x
        out = self.relu(self.norm(self.conv1(x)))
        out = self.norm(self.conv2(out))
        if self.down_sample is not None:
            identity = self.down_sample(x)
        out += identity
        return self.relu(out)


class ResNet(nn.Cell):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, kernel_size=7, stride=2)
        self.norm = nn.BatchNorm2d(4)
        self.max_pool = nn.MaxPool2d(kernel_size=3, stride=2, pad_mode="pad", padding=1)
        down = nn.SequentialCell([nn.Conv2d(4, 6, kernel_size=1, stride=2), nn.BatchNorm2d(6)])
        self.layer1 = nn.SequentialCell([BasicBlock(4, 4), BasicBlock(4, 4)])
        self.layer2 = nn.SequentialCell([BasicBlock(4, 6, 2, down)])
        self.avg_pool = nn.AvgPool2d(kernel_size=2)
        self.flatten, self.fc = nn.Flatten(), nn.Dense(6, 5)

    def construct(self, x):
        x = self.max_pool(ops.relu(self.norm(self.conv1(x))))
        x = self.avg_pool(self.layer2(self.layer1(x)))
        return self.fc(self.flatten(x))


class Sentiment(nn.Cell):
    """An LSTM over words, as in the tutorial, with its states given as zeros."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 6, padding_idx=0)
        self.rnn = nn.LSTM(6, 5, num_layers=2, bidirectional=True, batch_first=True)
        self.fc = nn.Dense(10, 1)

    def construct(self, inputs):
        embedded = self.embedding(inputs)
        h0 = ops.zeros((4, inputs.shape[0], 5), ms.float32)
        c0 = ops.zeros((4, inputs.shape[0], 5), ms.float32)
        output, (_, _) = self.rnn(embedded, (h0, c0))
        return ops.sigmoid(self.fc(output.mean(axis=1)))


class TimeFirst(nn.Cell):
    """Layers that take the time first."""

    def __init__(self):
        super().__init__()
        self.gru, self.lstm = nn.GRU(6, 5), nn.LSTM(5, 4)
        self.fc = nn.Dense(8, 3)

    def construct(self, x):
        y, _ = self.gru(x.transpose(1, 0, 2))
        z, (h, _) = self.lstm(y)
        return self.fc(mint.cat((h[-1], z[-1]), dim=1)), ops.swapaxes(z, 0, 1)


class Generator(nn.Cell):
    """The generator of a DCGAN."""

    def __init__(self):
        super().__init__()
        self.generator = nn.SequentialCell(
            nn.Conv2dTranspose(6, 8, 4, 1, "valid"),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2dTranspose(8, 4, 4, 2, "pad", 1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Conv2dTranspose(4, 3, 4, 2, "pad", 1),
            nn.Tanh(),
        )

    def construct(self, x):
        return self.generator(x)


class Discriminator(nn.Cell):
    def __init__(self):
        super().__init__()
        self.discriminator = nn.SequentialCell(
            nn.Conv2d(3, 4, 4, 2, "pad", 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(4, 8, 4, 2, "pad", 1),
            nn.BatchNorm2d(8),
            nn.LeakyReLU(0.2),
            nn.Conv2d(8, 1, 4, 1),
        )
        self.adv_layer = nn.Sigmoid()

    def construct(self, x):
        out = self.discriminator(x)
        out = out.reshape(out.shape[0], -1)
        return self.adv_layer(out)


class DoubleConv(nn.Cell):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, has_bias=True, pad_mode="same")
        self.bn, self.relu = nn.BatchNorm2d(outputs), nn.ReLU()

    def construct(self, x):
        return self.relu(self.bn(self.conv(x)))


class UNet(nn.Cell):
    def __init__(self):
        super().__init__()
        self.down = nn.CellDict({"first": DoubleConv(1, 4), "second": DoubleConv(4, 8)})
        self.pool = nn.MaxPool2d(2, 2)
        self.up = nn.Conv2dTranspose(8, 4, 2, 2)
        self.conv = DoubleConv(8, 4)
        self.final = nn.Conv2d(4, 2, 1)

    def construct(self, x):
        first = self.down["first"](x)
        bottom = self.down["second"](self.pool(first))
        x = ops.concat((first, self.up(bottom)), axis=1)
        return self.final(self.conv(x))


class Attention(nn.Cell):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads, self.scale = heads, Tensor((dim // heads) ** -0.5, ms.float32)
        self.qkv = nn.Dense(dim, dim * 3)
        self.attn_drop, self.out = nn.Dropout(p=0.1), nn.Dense(dim, dim)
        self.q_matmul_k = ops.BatchMatMul(transpose_b=True)
        self.attn_matmul_v = ops.BatchMatMul()
        self.softmax = nn.Softmax(axis=-1)

    def construct(self, x):
        b, n, c = x.shape
        qkv = ops.reshape(self.qkv(x), (b, n, 3, self.heads, c // self.heads))
        qkv = ops.transpose(qkv, (2, 0, 3, 1, 4))
        q, k, v = ops.unstack(qkv, axis=0)
        attn = self.attn_drop(self.softmax(ops.mul(self.q_matmul_k(q, k), self.scale)))
        out = ops.transpose(self.attn_matmul_v(attn, v), (0, 2, 1, 3))
        return self.out(ops.reshape(out, (b, n, c)))


class VisionEncoder(nn.Cell):
    """Patches, positions that are trained, and a block of a transformer, without a class token."""

    def __init__(self, attention):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, kernel_size=4, stride=4, has_bias=True)
        self.pos_embedding = Parameter(
            initializer(Normal(0.02), (1, 4, 8), mstype.float32), name="pos_embedding"
        )
        self.norm = nn.LayerNorm((8,))
        self.attention = attention
        self.gamma = Parameter(Tensor(np.full(8, 0.1, np.float32)), name="gamma")
        self.mlp = nn.SequentialCell(nn.Dense(8, 16, activation="relu"), nn.Dense(16, 8))

    def construct(self, x):
        x = self.patches(x)
        b, c, h, w = x.shape
        x = x.reshape(b, c, h * w).transpose(0, 2, 1)
        x = x + self.pos_embedding
        x = x + self.gamma * self.attention(self.norm(x))
        return ops.reduce_mean(x + self.mlp(x), 1)


class SelfAttention(nn.Cell):
    """A keyword in the call of the attention of MindSpore."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, dropout=0.1, batch_first=True)

    def construct(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


FLATTENS = tuple(map(int, ms.__version__.split(".")[:2])) >= (2, 8)
"""Whether `mint.flatten` has a kernel for CPUs; MindSpore 2.7 has none."""

NETWORKS = {
    "classifier": (Classifier, (1, 8, 8)),
    "vgg": (vgg, (3, 8, 8)),
    "resnet": (ResNet, (3, 16, 16)),
    "sentiment": (Sentiment, (6,)),
    "time first": (TimeFirst, (5, 6)),
    "generator": (Generator, (6, 1, 1)),
    "discriminator": (Discriminator, (3, 8, 8)),
    "unet": (UNet, (1, 8, 8)),
    "encoder": (lambda: VisionEncoder(Attention(8, 2)), (3, 8, 8)),
    "self-attention": (SelfAttention, (5, 8)),
    "autoencoder": (AutoEncoder, (12,)),
    **({"mint": (MintNet, (4, 3, 3))} if FLATTENS else {}),
    "handmade": (Handmade, (6,)),
    "combined": (
        lambda: nn.SequentialCell(
            nn.Conv2dBnAct(3, 4, 3, has_bn=True, activation="relu"),
            nn.Flatten(),
            nn.DenseBnAct(100, 4, has_bn=True, activation="relu"),
        ),
        (3, 5, 5),
    ),
    "transformer layers": (
        lambda: nn.TransformerEncoder(
            nn.TransformerEncoderLayer(8, 2, 16, 0.1, batch_first=True), 2, nn.LayerNorm((8,))
        ),
        (5, 8),
    ),
    "volumes": (Volumes, (1, 4, 4, 4)),
    "pools": (Pools, (2, 7, 6)),
}
"""A Cell and its input shape, by name."""

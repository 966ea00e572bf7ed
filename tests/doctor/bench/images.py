"""Pairs whose layers of images differ: padding, strides, pools."""

from __future__ import annotations

from typing import Any

from doctor.bench.data import PICTURES
from doctor.bench.pair import Expected, Pair, sequential, trained


def pictured(first: Any, last: Any = None) -> Any:
    """Return what makes a Keras program: layers of images, then a mean over the places."""

    def program(keras: Any) -> Any:
        ending = last or (lambda layers: [layers.GlobalAveragePooling2D()])
        layers = [*first(keras.layers), *ending(keras.layers), keras.layers.Dense(3)]
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return sequential(keras, (8, 8, 3), layers, loss, keras.optimizers.SGD(0.05))

    return program


def pictured_cell(first: Any, features: int = 4, mean: bool = True) -> Any:
    """Return what makes a MindSpore program, which has the channels first."""

    def program(mindspore: Any) -> Any:
        nn = mindspore.nn

        class Net(nn.Cell):
            def __init__(self) -> None:
                super().__init__()
                self.first = nn.SequentialCell(*first(nn))
                self.flatten = nn.Flatten()
                self.head = nn.Dense(features, 3)

            def construct(self, x: Any) -> Any:
                x = self.first(x)
                x = x.mean((2, 3)) if mean else self.flatten(x)
                return self.head(x)

        loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
        return trained(Net(), loss, lambda p: nn.SGD(p, 0.05))

    return program


PAIRS = (
    Pair(
        "same-by-hand",
        "layer",
        "padding 'same' with a stride of 2 begins after the image; padding=1 on both sides",
        pictured(lambda layers: [layers.Conv2D(4, 3, strides=2, padding="same")]),
        pictured_cell(lambda nn: [nn.Conv2d(3, 4, 3, 2, pad_mode="pad", padding=1, has_bias=True)]),
        PICTURES,
        (Expected("layer", "conv2d", says="padding"),),
    ),
    Pair(
        "padding-by-default",
        "layer",
        "a convolution is 'valid' in Keras and 'same' in MindSpore",
        pictured(lambda layers: [layers.Conv2D(4, 3)]),
        pictured_cell(lambda nn: [nn.Conv2d(3, 4, 3, has_bias=True)]),
        PICTURES,
        (Expected("layer", "conv2d", "conv-defaults", "padding"),),
    ),
    Pair(
        "bias-of-a-convolution",
        "layer",
        "a convolution has a bias in Keras, and none in MindSpore",
        pictured(lambda layers: [layers.Conv2D(4, 3, padding="same")]),
        pictured_cell(lambda nn: [nn.Conv2d(3, 4, 3)]),
        PICTURES,
        (Expected("refused", "conv2d/bias"),),
    ),
    Pair(
        "pool-by-default",
        "layer",
        "MaxPooling2D() halves an image, nn.MaxPool2d() leaves it",
        pictured(lambda layers: [layers.Conv2D(4, 3), layers.MaxPooling2D()]),
        pictured_cell(
            lambda nn: [nn.Conv2d(3, 4, 3, pad_mode="valid", has_bias=True), nn.MaxPool2d()]
        ),
        PICTURES,
        (Expected("layer", "max_pooling2d", "max-pool-defaults"),),
    ),
    Pair(
        "stride-forgotten",
        "layer",
        "nn.AvgPool2d(2) has a stride of 1",
        pictured(lambda layers: [layers.Conv2D(4, 3), layers.AveragePooling2D(2)]),
        pictured_cell(
            lambda nn: [nn.Conv2d(3, 4, 3, pad_mode="valid", has_bias=True), nn.AvgPool2d(2)]
        ),
        PICTURES,
        (Expected("layer", "average_pooling2d", says="strides"),),
    ),
)

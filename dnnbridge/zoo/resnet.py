"""Residual networks (He et al., "Deep residual learning for image recognition", 2016)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from dnnbridge.activations import ActivationLike
from dnnbridge.errors import SpecError
from dnnbridge.layers import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    MaxPooling2D,
    PadFeatures,
)
from dnnbridge.layers.base import LayerOutput
from dnnbridge.models import Input, Model

Tensor = LayerOutput | Input
Active = Callable[[LayerOutput], LayerOutput]
Shorten = Callable[[Tensor, int, int, int], LayerOutput]
"""(x, channels of x, width, stride) -> the shortcut that is added to the output of a block"""
Block = Callable[[Tensor, int, int, int, Active], LayerOutput]
"""(x, channels of x, width, stride, activation) -> output"""


def resnet_cifar(
    depth: int = 20,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    shortcut: Literal["padding", "projection"] = "padding",
    activation: ActivationLike = "relu",
) -> Model:
    """Return a ResNet of section 4.2 of the paper, for example with 20, 32, 44, 56 or 110 layers.

    It has three stages of 16, 32 and 64 filters. 20 layers have 0.27 M weights, 110 have 1.7 M.

    Args:
        depth: number of layers, 6 n + 2 for n blocks per stage.
        input_shape: shape of an image.
        classes: number of classes.
        activation: activation after each normalisation and each sum.
        shortcut: kind of shortcut where the shape changes. "padding" takes every second element,
            with zeros for the new channels, as in the paper (option A). "projection" is a
            convolution of 1 x 1.

    Example:
        >>> resnet_cifar(20).summary().parameters
        269722
    """
    if depth < 8 or depth % 6 != 2:
        raise SpecError(
            "depth must be 6 n + 2, at least 8",
            where="resnet_cifar",
            got=str(depth),
            hint="Use 20, 32, 56 or 110.",
        )
    image = Input(input_shape)
    shorten = _padded if shortcut == "padding" else _projected
    active = _active(activation)
    x: LayerOutput = active(_conv(image, 16, 3))
    channels = 16
    for stage, width in enumerate((16, 32, 64)):
        for number in range(depth // 6):
            stride = 2 if stage and not number else 1
            skip = _skip(x, channels, width, stride, shorten)
            y = active(_conv(x, width, 3, stride))
            x = active(Add()(_conv(y, width, 3), skip))
            channels = width
    return Model(image, Dense(classes)(GlobalAveragePooling2D()(x)))


def resnet18(
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    activation: ActivationLike = "relu",
) -> Model:
    """Return ResNet-18, with 11.7 M weights.

    Example:
        >>> resnet18().summary().parameters
        11689512
    """
    return _imagenet(_basic, (2, 2, 2, 2), 1, input_shape, classes, activation)


def resnet50(
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    activation: ActivationLike = "relu",
) -> Model:
    """Return ResNet-50, with 25.6 M weights; blocks have their stride in the 3 x 3 convolution.

    Example:
        >>> resnet50().summary().parameters
        25557032
    """
    return _imagenet(_bottleneck, (3, 4, 6, 3), 4, input_shape, classes, activation)


def _imagenet(
    block: Block,
    blocks: Sequence[int],
    expansion: int,
    input_shape: tuple[int, int, int],
    classes: int,
    activation: ActivationLike,
) -> Model:
    image, active = Input(input_shape), _active(activation)
    stem = active(_conv(image, 64, 7, 2, padding=3))
    x = MaxPooling2D(3, 2, padding=1)(stem)
    channels = 64
    for stage, count in enumerate(blocks):
        width = 64 * 2**stage
        for number in range(count):
            stride = 2 if stage and not number else 1
            x = block(x, channels, width, stride, active)
            channels = width * expansion
    return Model(image, Dense(classes)(GlobalAveragePooling2D()(x)))


def _basic(x: Tensor, channels: int, width: int, stride: int, active: Active) -> LayerOutput:
    skip = _skip(x, channels, width, stride, _projected)
    y = active(_conv(x, width, 3, stride, padding=1))
    return active(Add()(_conv(y, width, 3, padding=1), skip))


def _bottleneck(x: Tensor, channels: int, width: int, stride: int, active: Active) -> LayerOutput:
    wide = 4 * width
    skip = _skip(x, channels, wide, stride, _projected)
    y = active(_conv(x, width, 1))
    y = active(_conv(y, width, 3, stride, padding=1))
    return active(Add()(_conv(y, wide, 1), skip))


def _active(activation: ActivationLike) -> Active:
    """Return a function that applies a new Activation layer at each call."""
    return lambda x: Activation(activation)(x)


def _conv(
    x: Tensor, filters: int, size: int, stride: int = 1, padding: int | str = "same"
) -> LayerOutput:
    conv = Conv2D(filters, size, stride, padding, use_bias=False, kernel_initializer="he_normal")
    return BatchNormalization(momentum=0.9, epsilon=1e-5)(conv(x))


def _skip(x: Tensor, channels: int, width: int, stride: int, shorten: Shorten) -> Tensor:
    """Return the shortcut of a block: its input, converted if the shapes differ."""
    return x if stride == 1 and channels == width else shorten(x, channels, width, stride)


def _projected(x: Tensor, channels: int, width: int, stride: int) -> LayerOutput:
    return _conv(x, width, 1, stride)


def _padded(x: Tensor, channels: int, width: int, stride: int) -> LayerOutput:
    kept = AveragePooling2D(1, stride)(x)
    extra = width - channels
    return PadFeatures(extra // 2, extra - extra // 2)(kept)

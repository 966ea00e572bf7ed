"""Image classifiers without shortcut connections."""

from __future__ import annotations

from collections.abc import Sequence

from dnnbridge.activations import ActivationLike
from dnnbridge.layers import AveragePooling2D, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from dnnbridge.layers.base import AbstractLayer
from dnnbridge.models import Input, Sequential


def mlp(
    input_shape: tuple[int, ...] = (28, 28),
    units: Sequence[int] = (300, 100),
    classes: int = 10,
    activation: ActivationLike = "relu",
) -> Sequential:
    """Return a multilayer perceptron.

    Example:
        >>> mlp().summary().parameters
        266610
    """
    hidden = [Dense(n, activation, kernel_initializer="he_normal") for n in units]
    return Sequential([Input(input_shape), Flatten(), *hidden, Dense(classes)])


def lenet5(input_shape: tuple[int, int, int] = (28, 28, 1), classes: int = 10) -> Sequential:
    """Return LeNet-5 (LeCun et al., 1998), with 61,706 weights.

    As in versions of today, the second convolution uses all channels of the first, and the last
    layer is linear. Images of 28 x 28 are padded to the 32 x 32 of the paper.

    Example:
        >>> lenet5().summary().parameters
        61706
    """
    padding = "same" if input_shape[0] == 28 else "valid"
    return Sequential(
        [
            Input(input_shape),
            Conv2D(6, 5, padding=padding, activation="tanh"),
            AveragePooling2D(),
            Conv2D(16, 5, activation="tanh"),
            AveragePooling2D(),
            Flatten(),
            Dense(120, "tanh"),
            Dense(84, "tanh"),
            Dense(classes),
        ]
    )


VGG11 = (64, None, 128, None, 256, 256, None, 512, 512, None, 512, 512, None)
"""Filters of the convolutions of configuration A; None is a pooling layer."""


def vgg11(
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    units: Sequence[int] = (4096, 4096),
    activation: ActivationLike = "relu",
) -> Sequential:
    """Return VGG-11, configuration A of Simonyan & Zisserman (2015), with 132.9 M weights.

    Example:
        >>> vgg11().summary().parameters
        132863336
    """
    layers: list[AbstractLayer] = [
        MaxPooling2D()
        if filters is None
        else Conv2D(filters, 3, 1, "same", activation=activation, kernel_initializer="he_normal")
        for filters in VGG11
    ]
    layers.append(Flatten())
    for n in units:
        layers += [Dense(n, activation, kernel_initializer="he_normal"), Dropout(0.5)]
    return Sequential([Input(input_shape), *layers, Dense(classes)])

"""The families of `keras.applications`; Keras is imported where a model is built."""

from __future__ import annotations

from typing import Any

import numpy as np

FAMILIES = {
    "ConvNeXtTiny": 64,
    "DenseNet121": 64,
    "EfficientNetB0": 64,
    "EfficientNetV2B0": 64,
    "EfficientNetV2S": 64,
    "InceptionResNetV2": 96,
    "InceptionV3": 96,
    "MobileNet": 64,
    "MobileNetV2": 64,
    "MobileNetV3Small": 64,
    "NASNetMobile": 64,
    "ResNet50": 64,
    "ResNet50V2": 64,
    "VGG16": 64,
    "Xception": 96,
}
"""The smallest model of each family, and the height and width of its images.

EfficientNetV2S is there because its rounding is larger than that of the others.
"""

SCALING = ("ConvNeXt", "EfficientNet", "MobileNetV3")
"""Families that scale images themselves."""


def size_of(name: str) -> int:
    """Return the height and width of the images of a model."""
    return FAMILIES.get(name) or (96 if name.startswith(("Inception", "Xception")) else 64)


def build(name: str) -> Any:
    """Return a model with ten classes, without weights of its own."""
    import keras

    size = size_of(name)
    return getattr(keras.applications, name)(
        weights=None, input_shape=(size, size, 3), classes=10, classifier_activation=None
    )


def randomised(model: Any) -> Any:
    """Give statistics, shifts and scales random numbers, so that they matter."""
    import keras

    draw = np.random.default_rng(0)
    scaling = keras.layers.Normalization  # holds what it adapted to; set weights have no effect
    layers = [layer for layer in model.layers if not isinstance(layer, scaling)]
    for weight in (weight for layer in layers for weight in layer.weights):
        shape = tuple(weight.shape)
        if "gamma" in weight.path or "variance" in weight.path:
            weight.assign(draw.uniform(0.7, 1.3, shape))
        elif "beta" in weight.path or "mean" in weight.path or "bias" in weight.path:
            weight.assign(draw.normal(0.0, 0.1, shape))
    return model


def images(name: str, rows: int) -> Any:
    """Return random images in the range that a model takes."""
    size = size_of(name)
    x = np.random.default_rng(1).uniform(0, 255, (rows, size, size, 3)).astype("float32")
    return x if name.startswith(SCALING) else x / 127.5 - 1.0

"""Two networks that train against each other."""

from __future__ import annotations

from typing import NamedTuple

from dnnbridge.activations import LeakyReLU
from dnnbridge.errors import SpecError
from dnnbridge.initializers import RandomNormal
from dnnbridge.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Dropout,
    Flatten,
    Reshape,
)
from dnnbridge.models import Input, Model, Sequential

START = RandomNormal(0.0, 0.02)
"""Initial weights of the paper."""


class Adversaries(NamedTuple):
    """A generator, a discriminator, and a model of both.

    Attributes:
        generator: maps a code to an image with values from -1 to 1.
        discriminator: maps an image to a logit, above 0 for a real image.
        combined: maps a code to the outputs "generator" and "discriminator". Its weights have the
            names of the two models, prefixed with "generator/" and "discriminator/". Freeze
            "discriminator/*" to train the generator.
    """

    generator: Sequential
    discriminator: Sequential
    combined: Model


def dcgan(
    image_shape: tuple[int, int, int] = (28, 28, 1), code: int = 100, width: int = 64
) -> Adversaries:
    """Return a generator and a discriminator like those of Radford et al. (2016).

    Height and width of the images must be divisible by 4. `examples/dcgan.py` trains both in turn.

    Example:
        >>> dcgan().generator.output_shape
        (None, 28, 28, 1)
    """
    height, breadth, channels = image_shape
    if height % 4 or breadth % 4:
        raise SpecError(
            "height and width must be divisible by 4", where="dcgan", got=str(image_shape)
        )
    small = (height // 4, breadth // 4, 2 * width)
    generator = Sequential(
        [
            Input((code,)),
            Dense(small[0] * small[1] * small[2], kernel_initializer=START),
            Reshape(small),
            BatchNormalization(),
            Conv2DTranspose(width, 5, 2, "same", activation="relu", kernel_initializer=START),
            BatchNormalization(),
            Conv2DTranspose(channels, 5, 2, "same", activation="tanh", kernel_initializer=START),
        ],
        name="generator",
    )
    discriminator = Sequential(
        [
            Input(image_shape),
            Conv2D(width, 5, 2, "same", kernel_initializer=START),
            Activation(LeakyReLU(0.2)),
            Dropout(0.4),
            Conv2D(2 * width, 5, 2, "same", kernel_initializer=START),
            Activation(LeakyReLU(0.2)),
            Dropout(0.4),
            Flatten(),
            Dense(1, kernel_initializer=START),
        ],
        name="discriminator",
    )
    z = Input((code,))
    image = generator(z)
    return Adversaries(generator, discriminator, Model(z, [image, discriminator(image)]))

"""Autoencoders."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dnnbridge.activations import ActivationLike
from dnnbridge.layers import Dense, Flatten, GaussianSampling, Reshape
from dnnbridge.models import Input, Model, Sequential


def autoencoder(
    input_shape: tuple[int, ...] = (28, 28),
    units: Sequence[int] = (100, 30),
    activation: ActivationLike = "selu",
) -> Sequential:
    """Return an autoencoder of dense layers, which predicts its input, with values from 0 to 1.

    Its layers are "encoder" and "decoder". The last of `units` is the size of the code.

    Example:
        >>> autoencoder().output_shape
        (None, 28, 28)
    """
    encoder = [Dense(n, activation, kernel_initializer="lecun_normal") for n in units]
    return Sequential(
        [
            Input(input_shape),
            Sequential([Input(input_shape), Flatten(), *encoder], name="encoder"),
            decoder(input_shape, units, activation),
        ]
    )


def decoder(
    input_shape: tuple[int, ...], units: Sequence[int], activation: ActivationLike = "selu"
) -> Sequential:
    """Return the decoder of an autoencoder, which maps a code to probabilities."""
    *hidden, code = units
    dense = [Dense(n, activation, kernel_initializer="lecun_normal") for n in reversed(hidden)]
    last = Dense(math.prod(input_shape), "sigmoid")
    return Sequential([Input((code,)), *dense, last, Reshape(input_shape)], name="decoder")


def variational_autoencoder(
    input_shape: tuple[int, ...] = (28, 28),
    units: Sequence[int] = (100, 10),
    kl_weight: float | None = None,
) -> Model:
    """Return a variational autoencoder (Kingma & Welling, 2013) of dense layers.

    Its `GaussianSampling` adds the divergence from the standard normal to the loss. Train it with a
    binary cross-entropy and its input as labels.

    Args:
        input_shape: shape of an example, with values from 0 to 1.
        units: sizes of the hidden layers, and last the size of the code.
        kl_weight: factor of the divergence; by default 1 / size of an example, for a loss that is
            the mean over the elements.

    Example:
        >>> variational_autoencoder().output_shape
        (None, 28, 28)
    """
    weight = 1.0 / math.prod(input_shape) if kl_weight is None else kl_weight
    *hidden, code = units
    x = Input(input_shape)
    h = Flatten()(x)
    for n in hidden:
        h = Dense(n, "selu", kernel_initializer="lecun_normal")(h)
    mean, log_variance = Dense(code, name="mean")(h), Dense(code, name="log_variance")(h)
    z = GaussianSampling(weight)(mean, log_variance)
    return Model(x, decoder(input_shape, units)(z))

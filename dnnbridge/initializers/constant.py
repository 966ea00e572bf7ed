"""Initializers without randomness."""

from __future__ import annotations

import numpy as np

from dnnbridge.errors import ShapeError
from dnnbridge.initializers.base import (
    AbstractInitializer,
    Array,
    InitializerField,
)
from dnnbridge.specs.fields import Float, PositiveInt, default
from dnnbridge.specs.spec import spec


@spec
class Zeros(AbstractInitializer):
    """0

    Example:
        >>> Zeros().sample(np.random.default_rng(0), (2,))
        array([0., 0.])
    """

    synonyms = ("zero",)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape)


@spec
class Ones(AbstractInitializer):
    """1

    Example:
        >>> Ones().sample(np.random.default_rng(0), (2,))
        array([1., 1.])
    """

    synonyms = ("one",)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return np.ones(shape)


@spec
class Constant(AbstractInitializer):
    """The same value everywhere

    Example:
        >>> Constant(0.5).sample(np.random.default_rng(0), (2,))
        array([0.5, 0.5])
    """

    value: Float = 0.0

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return np.full(shape, self.value)


@spec
class Identity(AbstractInitializer):
    """gain on the diagonal of a matrix, 0 elsewhere

    Example:
        >>> Identity(2.0).sample(np.random.default_rng(0), (2, 3))
        array([[2., 0., 0.],
               [0., 2., 0.]])
    """

    synonyms = ("identity_initializer",)

    gain: Float = 1.0

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        if len(shape) != 2:
            raise ShapeError(
                "Identity needs a matrix", got=f"shape {shape}", hint="Use Dirac for convolutions."
            )
        return self.gain * np.eye(*shape)


@spec
class Dirac(AbstractInitializer):
    """A convolution that copies its first channels: 1 at the centre of kernel [i, i]

    For kernels of shape (…, in, out); with groups, each group of outputs passes on the first
    channels of its inputs, as MindSpore's and PyTorch's `Dirac`.

    Example:
        >>> Dirac().sample(np.random.default_rng(0), (3, 2, 2))[1]
        array([[1., 0.],
               [0., 1.]])
    """

    groups: PositiveInt = 1

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        if len(shape) < 3 or shape[-1] % self.groups:
            raise ShapeError(
                "Dirac needs a kernel (…, in, out) with out a multiple of groups",
                got=f"shape {shape} and {self.groups} groups",
                hint="Use Identity for matrices.",
            )
        kernel = np.zeros(shape)
        centre = tuple(size // 2 for size in shape[:-2])
        per_group = shape[-1] // self.groups
        for output in range(shape[-1]):
            if output % per_group < shape[-2]:
                kernel[(*centre, output % per_group, output)] = 1.0
        return kernel


@spec
class ForgetBias(AbstractInitializer):
    """Bias of an LSTM whose forget gate, the second of four blocks, starts at 1

    Args:
        initializer: for the other blocks, and for the second row if there is one.

    Example:
        >>> ForgetBias().sample(np.random.default_rng(0), (8,))
        array([0., 0., 1., 1., 0., 0., 0., 0.])
    """

    initializer: InitializerField = default("zeros")

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        bias = np.array(self.initializer.sample(rng, shape))
        units = shape[-1] // 4
        bias.reshape(-1, shape[-1])[0, units : 2 * units] = 1.0
        return bias

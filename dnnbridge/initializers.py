"""How parameters start: drawn in float64, rounded to float32 once, for all backends."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import PlainValidator

from dnnbridge.fields import Bool, Float, NonNegativeFloat, PositiveFloat
from dnnbridge.specification import Spec, named, spec

Array = npt.NDArray[np.float64]

TRUNCATED_STDDEV = 0.87962566103423978
"""Standard deviation of a standard normal cut at ±2."""


class AbstractInitializer(Spec):
    """Base of initializers. A subclass defines `sample`."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Return an array of the shape; all randomness comes from `rng`."""


@spec
class Zeros(AbstractInitializer):
    """0

    Example:
        >>> Zeros().sample(np.random.default_rng(0), (2,))
        array([0., 0.])
    """

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape)


@spec
class Ones(AbstractInitializer):
    """1

    Example:
        >>> Ones().sample(np.random.default_rng(0), (2,))
        array([1., 1.])
    """

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
class RandomNormal(AbstractInitializer):
    """Normal distribution, not truncated. Keras' default stddev 0.05; MindSpore's `Normal` has 0.01

    Example:
        >>> RandomNormal(stddev=0.01).sample(np.random.default_rng(0), (400, 300)).std().round(4)
        0.01
    """

    alias = "normal"
    mean: Float = 0.0
    stddev: NonNegativeFloat = 0.05

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return self.mean + self.stddev * rng.standard_normal(shape)


@spec
class RandomUniform(AbstractInitializer):
    """Uniform in [minval, maxval). Keras' default ±0.05; MindSpore's `Uniform` has ±0.07

    Example:
        >>> abs(RandomUniform().sample(np.random.default_rng(0), (400, 300))).max() < 0.05
        True
    """

    alias = "uniform"
    minval: Float = -0.05
    maxval: Float = 0.05

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.uniform(self.minval, self.maxval, shape)


@spec
class VarianceScaling(AbstractInitializer):
    """Zero mean and variance `scale / n`, n a fan of the shape

    Glorot & Bengio, 2010, and He et al., 2015.

    Args:
        scale: numerator of the variance.
        mode: n is the fan-in, the fan-out, or their mean.
        distribution: "normal", "truncated_normal" (cut at two standard deviations, its spread
            corrected so that the variance stays), or "uniform".

    The names glorot_/he_/lecun_ with _normal and _uniform, usable as strings, are the classes
    below; each is this one with fixed `scale` and `mode`.

    Example:
        >>> VarianceScaling(2.0).sample(np.random.default_rng(0), (200, 500)).std().round(2)
        0.1
    """

    scale: PositiveFloat = 1.0
    mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in"
    distribution: Literal["normal", "truncated_normal", "uniform"] = "truncated_normal"

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        fan_in, fan_out = fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        stddev = math.sqrt(self.scale / max(n, 1.0))
        if self.distribution == "uniform":
            limit = math.sqrt(3.0) * stddev
            return rng.uniform(-limit, limit, shape)
        if self.distribution == "normal":
            return stddev * rng.standard_normal(shape)
        return stddev / TRUNCATED_STDDEV * _truncated_normal(rng, shape)


class AbstractNamedScaling(AbstractInitializer):
    """A `VarianceScaling` with a name of its own."""

    @abstractmethod
    def scaling(self) -> VarianceScaling: ...

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return self.scaling().sample(rng, shape)


def _normal(truncated: bool) -> Literal["truncated_normal", "normal"]:
    return "truncated_normal" if truncated else "normal"


@spec
class GlorotNormal(AbstractNamedScaling):
    """Variance 2 / (fan_in + fan_out). Truncated as in Keras; MindSpore's `XavierNormal` is not

    Example:
        >>> GlorotNormal(truncated=False).scaling().distribution
        'normal'
    """

    truncated: Bool = True

    def scaling(self) -> VarianceScaling:
        return VarianceScaling(1.0, "fan_avg", _normal(self.truncated))


@spec
class GlorotUniform(AbstractNamedScaling):
    """Uniform within ±√(6 / (fan_in + fan_out)); the default of kernels, as in Keras

    Example:
        >>> GlorotUniform().scaling().mode
        'fan_avg'
    """

    def scaling(self) -> VarianceScaling:
        return VarianceScaling(1.0, "fan_avg", "uniform")


@spec
class HeNormal(AbstractNamedScaling):
    """Variance 2 / fan_in. Truncated as in Keras; MindSpore's `HeNormal` is not

    Example:
        >>> HeNormal().scaling().scale
        2.0
    """

    truncated: Bool = True

    def scaling(self) -> VarianceScaling:
        return VarianceScaling(2.0, "fan_in", _normal(self.truncated))


@spec
class HeUniform(AbstractNamedScaling):
    """Uniform within ±√(6 / fan_in)

    Example:
        >>> HeUniform().scaling().distribution
        'uniform'
    """

    def scaling(self) -> VarianceScaling:
        return VarianceScaling(2.0, "fan_in", "uniform")


@spec
class LecunNormal(AbstractNamedScaling):
    """Variance 1 / fan_in, truncated as in Keras

    Example:
        >>> LecunNormal().scaling().scale
        1.0
    """

    truncated: Bool = True

    def scaling(self) -> VarianceScaling:
        return VarianceScaling(1.0, "fan_in", _normal(self.truncated))


@spec
class LecunUniform(AbstractNamedScaling):
    """Uniform within ±√(3 / fan_in)

    Example:
        >>> LecunUniform().scaling().mode
        'fan_in'
    """

    def scaling(self) -> VarianceScaling:
        return VarianceScaling(1.0, "fan_in", "uniform")


def fans(shape: tuple[int, ...]) -> tuple[float, float]:
    """Return fan-in and fan-out of a kernel of shape (…, in, out); of a vector, its size twice."""
    if len(shape) < 2:
        size = float(math.prod(shape))
        return size, size
    receptive_field = math.prod(shape[:-2])
    return float(receptive_field * shape[-2]), float(receptive_field * shape[-1])


def _truncated_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    values = rng.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.standard_normal(int(outside.sum()))
    return values


as_initializer = named(AbstractInitializer)

InitializerLike = Annotated[str | AbstractInitializer, PlainValidator(as_initializer)]
"""Field of an initializer or the name of one."""

"""Initializers whose spread depends on the shape."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Annotated, Literal, Self

import numpy as np

from dnnbridge.base.messages import close_match
from dnnbridge.errors import SpecError
from dnnbridge.initializers.base import AbstractInitializer, Array, fans
from dnnbridge.initializers.random import truncated_normal
from dnnbridge.specs.fields import Bool, PositiveFloat, also
from dnnbridge.specs.spec import spec

Mode = Literal["fan_in", "fan_out", "fan_avg"]
Distribution = Annotated[
    Literal["normal", "truncated_normal", "uniform"], also({"untruncated_normal": "normal"})
]
"""Keras calls the normal distribution "untruncated_normal"."""

TRUNCATED_STDDEV = 0.87962566103423978
"""Standard deviation of a standard normal cut at ±2."""


@spec
class VarianceScaling(AbstractInitializer):
    """Zero mean and variance `scale / n`, n a fan of the shape

    Glorot & Bengio, 2010, and He et al., 2015.

    Args:
        scale: numerator of the variance.
        mode: n is the fan-in, the fan-out, or their mean.
        distribution: "normal", "truncated_normal" (cut at two standard deviations, with the
            spread corrected to keep the variance), or "uniform".

    The string names glorot_, he_ or lecun_ with normal or uniform stand for the classes below.
    Each class is this one with fixed `scale` and `mode`.

    Example:
        >>> VarianceScaling(2.0).sample(np.random.default_rng(0), (200, 500)).std().round(2)
        0.1
    """

    scale: PositiveFloat = 1.0
    mode: Mode = "fan_in"
    distribution: Distribution = "truncated_normal"

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        fan_in, fan_out = fans(shape)
        stddev = math.sqrt(self.scale / self.divisor(fan_in, fan_out))
        if self.distribution == "uniform":
            limit = math.sqrt(3.0) * stddev
            return rng.uniform(-limit, limit, shape)
        if self.distribution == "normal":
            return stddev * rng.standard_normal(shape)
        return stddev / TRUNCATED_STDDEV * truncated_normal(rng, shape)

    def divisor(self, fan_in: float, fan_out: float) -> float:
        """Return n; 1 if it is smaller."""
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        return max(n, 1.0)

    @classmethod
    def mindspore(
        cls, scale: float = 1.0, mode: Mode = "fan_in", distribution: str = "truncated_normal"
    ) -> Self:
        """Return what MindSpore's `VarianceScaling` draws with these arguments.

        Its "truncated_normal" draws a uniform distribution (measured on 2.10: kurtosis 1.8).
        """
        normal = distribution in ("normal", "untruncated_normal")
        return cls(scale, mode, "normal" if normal else "uniform")

    @classmethod
    def for_activation(
        cls,
        activation: str,
        distribution: Distribution = "uniform",
        *,
        mode: Mode = "fan_avg",
        table: Literal["glorot", "gain"] = "glorot",
    ) -> Self:
        """Return the scaling that textbooks give for layers with this activation.

        Args:
            activation: sigmoid, tanh or relu; with table "gain" also linear, selu and leaky_relu.
            distribution: as above.
            mode: as above.
            table: "glorot": 1, 4 and √2 times the Glorot spread for sigmoid, tanh and ReLU
                (Glorot & Bengio, 2010; He et al., 2015). "gain": the gains of PyTorch and of
                MindSpore's `calculate_gain`, 1, 5/3 and √2.

        Example:
            >>> VarianceScaling.for_activation("tanh").scale
            16.0
        """
        gains = GAINS[table]
        if activation not in gains:
            raise SpecError(
                "no gain is known for the activation",
                where="VarianceScaling.for_activation",
                got=repr(activation),
                hint=close_match(activation, gains),
            )
        return cls(gains[activation] ** 2, mode, distribution)


GAINS: dict[str, dict[str, float]] = {
    "glorot": {"sigmoid": 1.0, "tanh": 4.0, "relu": math.sqrt(2.0)},
    "gain": {
        "linear": 1.0,
        "sigmoid": 1.0,
        "tanh": 5.0 / 3.0,
        "relu": math.sqrt(2.0),
        "leaky_relu": math.sqrt(2.0 / (1.0 + 0.01**2)),
        "selu": 0.75,
    },
}
"""Factors on the standard deviation, by table and activation."""


class AbstractNamedScaling(AbstractInitializer):
    """A `VarianceScaling` under a separate name."""

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

    @classmethod
    def mindspore(cls, gain: float = 1.0) -> VarianceScaling:
        """Return MindSpore's `XavierNormal`, which is not truncated."""
        return VarianceScaling(gain**2, "fan_avg", "normal")


@spec
class GlorotUniform(AbstractNamedScaling):
    """Uniform within ±√(6 / (fan_in + fan_out)); the default of kernels, as in Keras

    Example:
        >>> GlorotUniform().scaling().mode
        'fan_avg'
    """

    def scaling(self) -> VarianceScaling:
        return VarianceScaling(1.0, "fan_avg", "uniform")

    @classmethod
    def mindspore(cls, gain: float = 1.0) -> VarianceScaling:
        """Return MindSpore's `XavierUniform`."""
        return VarianceScaling(gain**2, "fan_avg", "uniform")


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

    @classmethod
    def mindspore(cls, negative_slope: float = 0.0, mode: Mode = "fan_in") -> VarianceScaling:
        """Return MindSpore's `HeNormal`: not truncated, gain √(2 / (1 + negative_slope²))."""
        return VarianceScaling(2.0 / (1.0 + negative_slope**2), mode, "normal")


@spec
class HeUniform(AbstractNamedScaling):
    """Uniform within ±√(6 / fan_in)

    Example:
        >>> HeUniform().scaling().distribution
        'uniform'
    """

    def scaling(self) -> VarianceScaling:
        return VarianceScaling(2.0, "fan_in", "uniform")

    @classmethod
    def mindspore(cls, negative_slope: float = 0.0, mode: Mode = "fan_in") -> VarianceScaling:
        """Return MindSpore's `HeUniform`; its Dense and Conv2d start with √5 as the slope."""
        return VarianceScaling(2.0 / (1.0 + negative_slope**2), mode, "uniform")


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


def with_fans(
    initializer: AbstractInitializer, shape: tuple[int, ...], fan_in: float, fan_out: float
) -> AbstractInitializer:
    """Return the initializer for an array whose fans are not those of its shape.

    Example:
        >>> with_fans(HeNormal(), (4, 2, 3), 4, 6)
        VarianceScaling(scale=4.0)
    """
    if isinstance(initializer, AbstractNamedScaling):
        initializer = initializer.scaling()
    if not isinstance(initializer, VarianceScaling):
        return initializer
    ratio = initializer.divisor(*fans(shape)) / initializer.divisor(fan_in, fan_out)
    return initializer.replace(scale=initializer.scale * ratio)

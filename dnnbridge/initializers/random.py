"""Initializers whose spread does not depend on the shape, and orthogonal ones."""

from __future__ import annotations

import math
from typing import Self

import numpy as np

from dnnbridge.errors import ShapeError, SpecError
from dnnbridge.initializers.base import AbstractInitializer, Array
from dnnbridge.specs.fields import Bool, Float, NonNegativeFloat
from dnnbridge.specs.spec import spec


@spec
class RandomNormal(AbstractInitializer):
    """Normal distribution, not truncated. Keras' default stddev 0.05; MindSpore's `Normal` has 0.01

    Example:
        >>> RandomNormal(stddev=0.01).sample(np.random.default_rng(0), (400, 300)).std().round(4)
        0.01
    """

    synonyms = ("normal",)

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

    synonyms = ("uniform",)

    minval: Float = -0.05
    maxval: Float = 0.05

    def __post_init__(self) -> None:
        if self.minval > self.maxval:
            raise SpecError(
                "minval must not be above maxval",
                where="RandomUniform",
                got=f"{self.minval} and {self.maxval}",
                hint="Exchange them.",
            )

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.uniform(self.minval, self.maxval, shape)


@spec
class TruncatedNormal(AbstractInitializer):
    """Normal distribution; values outside the bounds are drawn again

    Args:
        mean: centre before the cut.
        stddev: spread before the cut; a cut at two deviations reduces it to 0.88 of this.
        low: lower bound.
        high: upper bound.
        absolute: True: the bounds are values, as in MindSpore, where the default ±2 cuts nothing
            off a stddev of 0.01. False: they are standard deviations from the mean.

    Example:
        >>> abs(TruncatedNormal().sample(np.random.default_rng(0), (400, 300))).max() < 0.1
        True
        >>> TruncatedNormal.mindspore().absolute
        True
    """

    mean: Float = 0.0
    stddev: NonNegativeFloat = 0.05
    low: Float = -2.0
    high: Float = 2.0
    absolute: Bool = False

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise SpecError(
                "low must be below high",
                where="TruncatedNormal",
                got=f"{self.low} and {self.high}",
            )

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        low, high = self.low, self.high
        if self.absolute:
            scale = max(self.stddev, 1e-300)
            low, high = (low - self.mean) / scale, (high - self.mean) / scale
        return self.mean + self.stddev * truncated_normal(rng, shape, low, high)

    @classmethod
    def keras(cls, mean: float = 0.0, stddev: float = 0.05) -> Self:
        """Return `keras.initializers.TruncatedNormal` with these arguments."""
        return cls(mean, stddev)

    @classmethod
    def mindspore(
        cls, sigma: float = 0.01, mean: float = 0.0, a: float = -2.0, b: float = 2.0
    ) -> Self:
        """Return MindSpore's `TruncatedNormal` with these arguments."""
        return cls(mean, sigma, a, b, absolute=True)


@spec
class Orthogonal(AbstractInitializer):
    """gain times a random matrix with orthonormal rows or columns (Saxe et al., 2014)

    A kernel (…, in, out) counts as a matrix with one column per output, as in Keras.

    Example:
        >>> q = Orthogonal().sample(np.random.default_rng(0), (4, 3))
        >>> bool(np.allclose(q.T @ q, np.eye(3)))
        True
    """

    synonyms = ("orthogonal_initializer",)

    gain: Float = 1.0

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        if len(shape) < 2:
            raise ShapeError(
                "needs a matrix or kernel",
                where="Orthogonal",
                got=f"shape {shape}",
                hint="Use another initializer for a vector.",
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))  # makes the distribution uniform
        return np.asarray(self.gain * (q.T if rows < columns else q).reshape(shape))


def truncated_normal(
    rng: np.random.Generator, shape: tuple[int, ...], low: float = -2.0, high: float = 2.0
) -> Array:
    """Draw from the standard normal between two bounds; values outside are drawn again."""
    values = rng.standard_normal(shape)
    if not _normal_cdf(high) - _normal_cdf(low) > 1e-3:
        raise SpecError(
            "the bounds leave less than a thousandth of the distribution",
            where="TruncatedNormal",
            got=f"{low:.3g} to {high:.3g} standard deviations",
            hint="Widen them.",
        )
    while (outside := (values < low) | (values > high)).any():
        values[outside] = rng.standard_normal(int(outside.sum()))
    return values


def _normal_cdf(x: float) -> float:
    return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))

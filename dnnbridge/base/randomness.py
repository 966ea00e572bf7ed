"""Randomness that belongs to core: NumPy's Philox keyed by seed, purpose and position.

The key of a stream is a hash of its full name, so a draw does not depend on earlier draws. Initial
weights, shuffles and dropout masks are bit-identical on every backend, and after a resume.
(Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.)
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


def generator(seed: int, purpose: str, *position: str | int) -> np.random.Generator:
    """Return the generator of one stream.

    Example:
        >>> same = [generator(0, "shuffle", 3).integers(1000) for _ in range(2)]
        >>> same[0] == same[1]
        True
        >>> same[0] == generator(0, "shuffle", 4).integers(1000)
        False
    """
    name = "\x1f".join(str(part) for part in (seed, purpose, *position))
    key = hashlib.blake2b(name.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=np.frombuffer(key, np.uint64)))


def permutation(seed: int, epoch: int, count: int) -> npt.NDArray[np.int64]:
    """Return the order of the examples in an epoch."""
    return generator(seed, "shuffle", epoch).permutation(count)


class AbstractDistribution:
    """The distribution of a random input of a step."""

    @abstractmethod
    def sample(
        self, rng: np.random.Generator, shape: tuple[int, ...]
    ) -> npt.NDArray[np.float32]: ...


@dataclass(frozen=True)
class Bernoulli(AbstractDistribution):
    """1 with the given probability, else 0."""

    probability: float

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        return (rng.random(shape, dtype=np.float32) < self.probability).astype(np.float32)


@dataclass(frozen=True)
class Uniform(AbstractDistribution):
    """Uniform numbers in [0, 1); `Bernoulli` compares the same numbers with its probability."""

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        return rng.random(shape, dtype=np.float32)


@dataclass(frozen=True)
class Normal(AbstractDistribution):
    """Standard normal numbers: mean 0, standard deviation 1."""

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        return rng.standard_normal(shape, dtype=np.float32)

"""How far small changes of the state before a step move what the step computes.

Two trainings of one spec never have the same state for long: rounding moves it. What may differ in
a later step is what such changes make there. So a step is computed again from states that are
moved by a spacing of float32, by 1e-5 and by 1e-3. Kinks (ReLU, maximum) and optimizers that
divide by small numbers show in the larger ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dnnbridge.base.arrays import Array
from dnnbridge.base.randomness import generator
from dnnbridge.formats.traces.places import TracePlace

SPACING = float(np.finfo(np.float32).eps)

SCALES = (SPACING, 1e-5, 1e-3)
"""Relative sizes of the changes."""

DRAWS = 2
"""How many changes of each size; the largest effect counts."""

NOISE = 0.1
"""Relative effect of a spacing from which on rounding decides a number."""

SMALLEST = 1e-30

Made = Mapping[TracePlace, Array]


class Moves:
    """Random changes of arrays.

    Args:
        scale: their relative size.
        rng: draws them.
        free: largest sizes of arrays that rounding decides, which may be anything of that size.
    """

    def __init__(
        self, scale: float, rng: np.random.Generator, free: Mapping[str, float] | None = None
    ) -> None:
        self.scale, self.rng, self.free = scale, rng, free or {}

    def moved(self, name: str, array: Array) -> Array:
        """Return an array moved by about its size times the scale."""
        if array.dtype.kind != "f" or not array.size:
            return array
        drawn = self.rng.uniform(-1.0, 1.0, array.shape) * np.sqrt(3.0)
        if name in self.free:
            return np.asarray(array + self.free[name] * drawn, array.dtype)
        size: Any = np.abs(array)
        if self.scale > SPACING and array.min() < 0:
            size = np.sqrt(np.mean(np.square(array, dtype=np.float64)))
        return np.asarray(array + self.scale * size * drawn, array.dtype)


class Nearby(NamedTuple):
    """What changes make of a step.

    Attributes:
        moved: relative distances, (scales, places).
        noise: the weights whose gradient or update rounding decides.
    """

    moved: npt.NDArray[np.float64]
    noise: frozenset[str]


def nearby(
    compute: Callable[[Moves], Made], exact: Made, noise: frozenset[str], step: int
) -> Nearby:
    """Compute a step from moved states.

    Args:
        compute: computes the step with changes; it may leave places out.
        exact: what it computes without.
        noise: weights that rounding decided in earlier steps.
        step: its number.
    """
    made, found = np.zeros((len(SCALES), len(exact))), set(noise)
    for number, scale in enumerate(SCALES):
        for draw in range(DRAWS):
            rng = generator(0, "trace", step, number, draw)
            sizes = {name: _size(exact, name) for name in found}
            other = compute(Moves(scale, rng, sizes))
            for column, (place, array) in enumerate(exact.items()):
                gap = relative(other[place], array) if place in other else np.nan
                made[number, column] = np.fmax(made[number, column], gap)
                if place not in other:
                    made[number, column] = np.nan
        if scale == SPACING:
            found |= _noise(exact, made[number])
    return Nearby(made, frozenset(found))


def _noise(exact: Made, moved: npt.NDArray[np.float64]) -> set[str]:
    return {
        place.where
        for place, gap in zip(exact, moved, strict=True)
        if place.stage in ("gradient", "update") and gap >= NOISE
    }


def _size(exact: Made, name: str) -> float:
    """Return the size of an array that rounding decides, at least that of its update."""
    kinds = ("state", "update")
    arrays = [array for place, array in exact.items() if place.stage in kinds]
    names = [place.where for place in exact if place.stage in kinds]
    sizes = [
        float(np.sqrt(np.mean(np.square(a, dtype=np.float64))))
        for a, n in zip(arrays, names, strict=True)
        if n == name and a.size
    ]
    return max(sizes, default=0.0)


def relative(a: Array, b: Array) -> float:
    """Return the Euclidean distance of two arrays, relative to the second."""
    distance = np.linalg.norm((np.asarray(a, np.float64) - np.asarray(b, np.float64)).ravel())
    found = float(distance / (np.linalg.norm(np.asarray(b, np.float64).ravel()) + SMALLEST))
    return found if np.isfinite(found) else np.inf

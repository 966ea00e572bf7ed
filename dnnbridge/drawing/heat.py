"""Heat maps of errors as shares of what is allowed, as pictures with a pixel per number."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.drawing.png import data_uri


class Shade(NamedTuple):
    """A class of errors and its colours.

    Attributes:
        label: what the legend says.
        most: the largest share of what is allowed; NaN where there is none.
        light: red, green, blue and opacity on a light page, from 0 to 255.
        dark: the same on a dark page.
    """

    label: str
    most: float
    light: tuple[int, int, int, int]
    dark: tuple[int, int, int, int]


SHADES = (
    Shade("not compared", np.nan, (0, 0, 0, 0), (0, 0, 0, 0)),
    Shade("rounding alone decides it", np.nan, (128, 128, 128, 90), (150, 150, 150, 90)),
    Shade("equal", 0.0, (33, 102, 172, 22), (88, 166, 255, 30)),
    Shade("up to 1 %", 0.01, (33, 102, 172, 52), (88, 166, 255, 62)),
    Shade("10 %", 0.1, (33, 102, 172, 105), (88, 166, 255, 110)),
    Shade("100 % of what is allowed", 1.0, (33, 102, 172, 190), (88, 166, 255, 185)),
    Shade("10 times", 10.0, (254, 204, 92, 255), (158, 70, 20, 255)),
    Shade("100 times", 100.0, (253, 141, 60, 255), (220, 112, 24, 255)),
    Shade("10,000 times", 1e4, (227, 26, 28, 255), (255, 178, 72, 255)),
    Shade("more", np.inf, (128, 0, 38, 255), (255, 243, 196, 255)),
)
"""Blue where rounding explains an error and warm where it does not, so that readers who confuse red
and green can tell them apart; each step is also darker (on a dark page brighter) than the last."""

DIFFERS = 6
"""Number of the first class that rounding does not explain."""


def classes(error: Array, allowed: Array) -> Array:
    """Return the number of the class of each error; NaN in `allowed` is what was not compared.

    Example:
        >>> classes(np.array([0.0, 0.5, 3.0, 1.0]), np.array([1.0, 1.0, 1.0, np.nan])).tolist()
        [2, 5, 6, 0]
    """
    bounds = [shade.most for shade in SHADES[2:-1]]
    with np.errstate(invalid="ignore"):
        found = 2 + np.searchsorted(bounds, error / allowed)
    found = np.where(np.isinf(allowed), 1, found)
    made: Array = np.where(np.isnan(allowed), 0, found).astype(np.uint8)
    return made


def picture(found: Array, dark: bool = False) -> str:
    """Return a picture of classes, of shape (rows, columns), as the address of an image."""
    colours = np.array([shade.dark if dark else shade.light for shade in SHADES], np.uint8)
    return data_uri(colours[found])


def colours_of_page(dark: bool) -> str:
    """Return CSS variables, --heat-0 and so on, with the colour of each class."""
    pairs = enumerate(shade.dark if dark else shade.light for shade in SHADES)
    return " ".join(f"--heat-{i}: rgb({r} {g} {b} / {a / 255:.2f});" for i, (r, g, b, a) in pairs)

"""Pictures of arrays are PNG files that another reader reads."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from dnnbridge.drawing.png import data_uri, picture_of, png

RNG = np.random.default_rng(1)


@pytest.mark.parametrize(
    ("array", "mode"),
    [
        (RNG.integers(0, 256, (9, 5), np.uint8), "L"),
        (RNG.integers(0, 256, (4, 7, 3), np.uint8), "RGB"),
        (RNG.integers(0, 256, (4, 7, 4), np.uint8), "RGBA"),
    ],
    ids=["grey", "colour", "transparent"],
)
def test_a_picture_is_a_png_that_others_read(array, mode):
    picture = picture_of(array)
    assert picture is not None
    image = Image.open(io.BytesIO(png(picture)))
    assert image.mode == mode
    np.testing.assert_array_equal(np.asarray(image), array)
    assert base64.b64decode(data_uri(picture).partition(",")[2]) == png(picture)


@pytest.mark.parametrize(
    ("array", "least", "most"),
    [
        (np.linspace(0, 0.5, 16), 0, 128),
        (np.linspace(-1, 0, 16), 0, 128),
        (np.linspace(-3, 5, 16), 0, 255),
    ],
    ids=["from-0", "from-minus-1", "any"],
)
def test_numbers_become_shades(array, least, most):
    picture = picture_of(array.reshape(4, 4))
    assert picture is not None
    assert (int(picture.min()), int(picture.max())) == (least, most)


@pytest.mark.parametrize("shape", [(36,), (2, 9), (9, 9, 2), (4, 4, 4, 4)], ids=str)
def test_other_arrays_are_no_pictures(shape):
    assert picture_of(np.zeros(shape)) is None


def test_channels_may_come_first():
    picture = picture_of(np.zeros((3, 8, 9)))
    assert picture is not None
    assert picture.shape == (8, 9, 3)

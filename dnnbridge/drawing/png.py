"""Small pictures of arrays as PNG files, which a page can hold in itself."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

from dnnbridge.base.arrays import Array

SIGNATURE = b"\x89PNG\r\n\x1a\n"

KINDS = {1: 0, 3: 2, 4: 6}
"""PNG's number for grey, colour, and colour with transparency, by the number of channels."""

LEAST = 4
"""Smallest height and width of what is taken for a picture."""


def picture_of(array: Array) -> Array | None:
    """Return an example as bytes of shape (height, width, channels); None if it is no picture.

    Pictures have two axes, or a third one of 1, 3 or 4 channels at the end or at the beginning.
    Numbers from 0 to 1 or from -1 to 1 are taken as they are; others from the least to the
    largest of the picture.

    Example:
        >>> picture_of(np.zeros((8, 8))).shape, picture_of(np.zeros(64))
        ((8, 8, 1), None)
    """
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3:
        return None
    if array.shape[2] not in KINDS and array.shape[0] in KINDS:
        array = np.moveaxis(array, 0, 2)
    if array.shape[2] not in KINDS or min(array.shape[:2]) < LEAST:
        return None
    return array if array.dtype == np.uint8 else _as_bytes(array)


def _as_bytes(array: Array) -> Array:
    values = np.nan_to_num(array.astype(np.float64))
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif low >= -1 and high <= 1:
        low, high = -1.0, 1.0
    share = (values - low) / ((high - low) or 1.0)
    scaled: Array = np.rint(255 * share).astype(np.uint8)
    return scaled


def png(picture: Array) -> bytes:
    """Return a PNG file of a picture of bytes, of shape (height, width, 1, 3 or 4)."""
    height, width, channels = picture.shape
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # the first byte: no filter
    rows[:, 1:] = picture.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, KINDS[channels], 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")
    return SIGNATURE + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", _sum(name, content))


def _sum(name: bytes, content: bytes) -> int:
    return zlib.crc32(content, zlib.crc32(name))


def data_uri(picture: Array) -> str:
    """Return a picture as the address of an image that needs no file."""
    return f"data:image/png;base64,{base64.b64encode(png(picture)).decode()}"

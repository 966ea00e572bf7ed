"""Write a MindSpore checkpoint file; MindSpore itself is not needed.

The file is a message of protocol buffers: field 1, repeated, holds an array, with its name in
field 1 and in field 2 its sizes (1), the name of its dtype (2) and its bytes (3).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.files import atomic_file

KINDS = {"f": (np.float32, "Float32"), "i": (np.int32, "Int32")}
"""The dtype of arrays of each kind in the file; the reference computes in float64."""


def write_checkpoint(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write arrays by name, so that `mindspore.load_checkpoint` reads them."""
    with atomic_file(path) as file:
        for name, array in arrays.items():
            file.writelines(_entry(name, array))


def _entry(name: str, array: Array) -> tuple[bytes, bytes]:
    """Return the field of an array in two parts, of which the second is its content."""
    dtype, word = KINDS[array.dtype.kind]
    content = array.astype(np.dtype(dtype).newbyteorder("<")).tobytes()
    sizes = b"".join(b"\x08" + _varint(size) for size in array.shape)
    tensor = sizes + _field(2, word.encode()) + _begun(3, len(content))
    begun = _field(1, name.encode()) + _begun(2, len(tensor) + len(content)) + tensor
    return _begun(1, len(begun) + len(content)) + begun, content


def _begun(number: int, length: int) -> bytes:
    """Return the beginning of a field that holds bytes: its number and its length."""
    return _varint(number << 3 | 2) + _varint(length)


def _field(number: int, content: bytes) -> bytes:
    """Return a field that holds bytes: its number, its length, its content."""
    return _begun(number, len(content)) + content


def _varint(value: int) -> bytes:
    """Return a number in groups of seven bits, the lowest first.

    Example:
        >>> _varint(300)
        b'\\xac\\x02'
    """
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*made, value])

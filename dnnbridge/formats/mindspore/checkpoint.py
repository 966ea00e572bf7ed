"""Read `.ckpt` files of MindSpore without MindSpore: protocol buffers of names and arrays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.errors import ConversionError
from dnnbridge.formats.numbers import as_float32
from dnnbridge.formats.sizes import count_of

DTYPES = {
    **{f"Float{n}": f"<f{n // 8}" for n in (16, 32, 64)},
    **{f"Int{n}": f"<i{n // 8}" for n in (8, 16, 32, 64)},
    **{f"UInt{n}": f"<u{n // 8}" for n in (8, 16, 32, 64)},
    "Bool": "|b1",
    "BFloat16": "bfloat16",
}
"""NumPy's name of each dtype."""

CHECKSUM = b"crc_num"
"""Begins the last 17 bytes of a file that was written with crc_check=True."""

VALUE, TAG, TENSOR = 1, 1, 2
DIMS, DTYPE, CONTENT = 1, 2, 3


class _DamagedError(Exception):
    """The bytes are not those of a message; the text says why."""


def read_checkpoint(path: str | Path) -> dict[str, Array]:
    """Return the arrays of a `.ckpt` file, by name.

    Texts and other values that are no arrays are left out.

    Raises:
        ConversionError: the file does not exist, is damaged, or is encrypted.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ConversionError("cannot be read", where=str(path), got=str(error)) from error
    if content[-17:-10] == CHECKSUM:
        content = content[:-17]
    try:
        return _arrays(memoryview(content))
    except _DamagedError as error:
        raise ConversionError(
            "is not a checkpoint of MindSpore: it is damaged, encrypted or of another form",
            where=str(path),
            got=str(error),
            hint="Write it again with mindspore.save_checkpoint(cell, path).",
        ) from error


def _arrays(content: memoryview) -> dict[str, Array]:
    """A large array is written in several values of one name, one after another."""
    parts: dict[str, list[memoryview]] = {}
    types: dict[str, tuple[tuple[int, ...], str]] = {}
    for field, value in _fields(content):
        if field != VALUE:
            raise _DamagedError(f"a field {field} instead of a value")
        given = _messages(value)
        if TAG not in given:
            raise _DamagedError("a value without a name")
        name = _text(given[TAG])
        if TENSOR not in given:
            continue
        dims, dtype, numbers = _tensor(_part(given[TENSOR]))
        if dtype not in DTYPES:
            continue
        types[name] = (dims, dtype)
        parts.setdefault(name, []).append(numbers)
    return {name: _array(name, *types[name], parts[name]) for name in parts}


def _tensor(content: memoryview) -> tuple[tuple[int, ...], str, memoryview]:
    dims: list[int] = []
    dtype, numbers = "", memoryview(b"")
    for field, value in _fields(content):
        if field == DIMS and isinstance(value, int):
            dims.append(value)
        elif field == DIMS:
            dims += _packed(_part(value))
        elif field == DTYPE:
            dtype = _text(value)
        elif field == CONTENT:
            numbers = _part(value)
    return tuple(dims), dtype, numbers


def _array(name: str, dims: tuple[int, ...], dtype: str, parts: list[memoryview]) -> Array:
    numpy_name = DTYPES[dtype]
    size = 2 if numpy_name == "bfloat16" else np.dtype(numpy_name).itemsize
    stored = sum(len(part) for part in parts)
    # A number alone has dims of 0 in some versions, and none in others.
    dims = () if dims == (0,) and stored == size else dims
    try:
        fits = count_of(dims) * size == stored
    except ValueError as error:
        raise _DamagedError(f"{name} has {error}") from error
    if not fits:
        raise _DamagedError(f"{stored} bytes for {name} of shape {dims} in {dtype}")
    return as_float32(b"".join(parts), numpy_name, dims)


def _fields(content: memoryview | int) -> Iterator[tuple[int, memoryview | int]]:
    """Yield number and value of each field of a message."""
    content, at = _part(content), 0
    while at < len(content):
        key, at = _number(content, at)
        field, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _number(content, at)
            yield field, value
            continue
        if kind not in (1, 2, 5):
            raise _DamagedError(f"a field of kind {kind}")
        size, at = _number(content, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
        if size > len(content) - at:
            raise _DamagedError(f"{size} bytes wanted, {len(content) - at} left")
        yield field, content[at : at + size]
        at += size


def _number(content: memoryview, at: int) -> tuple[int, int]:
    """Read a number of 7 bits per byte, and the position after it."""
    made = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            raise _DamagedError("it ends within a number")
        byte, at = content[at], at + 1
        made |= (byte & 127) << shift
        if byte < 128:
            return made - (1 << 64) if made >= 1 << 63 else made, at
    raise _DamagedError("a number of more than 64 bits")


def _messages(content: memoryview | int) -> dict[int, memoryview | int]:
    return dict(_fields(content))


def _packed(content: memoryview) -> list[int]:
    made, at = [], 0
    while at < len(content):
        value, at = _number(content, at)
        made.append(value)
    return made


def _part(value: memoryview | int) -> memoryview:
    if isinstance(value, int):
        raise _DamagedError("a number where a text or a message belongs")
    return value


def _text(value: memoryview | int) -> str:
    try:
        return bytes(_part(value)).decode()
    except UnicodeDecodeError as error:
        raise _DamagedError("a name that is no text") from error

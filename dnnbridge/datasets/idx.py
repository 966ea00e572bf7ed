"""Read the IDX format of the MNIST files (described at the end of LeCun's MNIST page)."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dnnbridge.errors import DataError
from dnnbridge.formats.sizes import check_unpacked

GZIP = b"\x1f\x8b"
UNSIGNED_BYTE = 0x08


def read_idx(path: str | Path, rank: int) -> npt.NDArray[np.uint8]:
    """Return the array of an IDX file of unsigned bytes, compressed with gzip or not.

    Args:
        path: the file.
        rank: number of axes that it must have: 3 for images, 1 for labels.

    Raises:
        DataError: not such a file, or not as long as its header says.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "labels"
        >>> _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3]) + bytes([7, 2, 1]))
        >>> read_idx(path, rank=1)
        array([7, 2, 1], dtype=uint8)
    """
    content = _content(Path(path), 4 + 4 * rank)
    magic = bytes([0, 0, UNSIGNED_BYTE, rank])
    if content[:4] != magic:
        raise DataError(
            f"not an IDX file of unsigned bytes with {rank} axes (it starts with 0x{magic.hex()})",
            where=str(path),
            got=f"0x{content[:4].hex()}",
            hint="Images have 3 axes and labels 1; check that the files are not swapped.",
        )
    start = 4 + 4 * rank
    if len(content) < start:
        raise _wrong_length(path, f"{start} bytes of header", content)
    shape = struct.unpack(f">{rank}I", content[4:start])
    if len(content) != start + math.prod(shape):
        raise _wrong_length(path, f"{start + math.prod(shape)} bytes for shape {shape}", content)
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _content(path: Path, header: int) -> bytes:
    """Return the bytes; of a compressed file as many as its header says, and one more if it has."""
    try:
        with path.open("rb") as file:
            if file.read(2) != GZIP:
                return path.read_bytes()
        with gzip.open(path) as unpacked:
            begin = unpacked.read(header)
            shape = struct.unpack(f">{len(begin[4:]) // 4}I", begin[4 : len(begin) // 4 * 4])
            check_unpacked(math.prod(shape), path.stat().st_size, "its array")
            return begin + unpacked.read(math.prod(shape) + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(
            "cannot be read", where=str(path), got=str(error), hint="Download the file again."
        ) from None


def _wrong_length(path: str | Path, wanted: str, content: bytes) -> DataError:
    return DataError(
        f"the header says {wanted}",
        where=str(path),
        got=f"{len(content)} bytes",
        hint="The file is cut short or damaged: download it again.",
    )

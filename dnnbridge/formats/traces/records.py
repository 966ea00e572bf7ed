"""Records of a file: each has a length and checksums, so that a killed writer leaves a whole file.

A file is `MAGIC` and then records. A record is

    kind      4 bytes, ASCII
    length    8 bytes, little-endian: of the payload
    checksum  4 bytes, little-endian: CRC-32 of the 12 bytes before
    payload   4 bytes, little-endian: the length of the text; then the text, JSON in UTF-8; then
              raw numbers, little-endian, as the text says
    checksum  4 bytes, little-endian: CRC-32 of the payload
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from dnnbridge.errors import CheckpointError

MAGIC = b"\x89DBTRACE\r\n\x1a\n"
"""How a file begins. As in PNG, it shows whether a transfer has changed line ends."""

BEGINNING = struct.Struct("<4sQ")
NUMBER = struct.Struct("<I")
HEAD = BEGINNING.size + NUMBER.size
AROUND = HEAD + 2 * NUMBER.size
"""Bytes of a record besides its text and numbers."""

LONGEST = 2**30
"""Largest payload that is read, in bytes."""

TEXT = 16 * 2**20
"""Longest text that is read, in bytes."""

KINDS = ("HEAD", "SPOT", "STEP", "TENS", "NEAR", "EPOC")
"""What records there are: about the training, the places, a step, a tensor, rounding, an epoch."""


class Stored(NamedTuple):
    """A record in a file.

    Attributes:
        kind: one of `KINDS`.
        begin: where it begins.
        size: its bytes, with everything.
        fields: its text.
        numbers: where its numbers begin.
        length: how many bytes they have.
    """

    kind: str
    begin: int
    size: int
    fields: dict[str, Any]
    numbers: int
    length: int


def encoded(kind: str, fields: dict[str, Any], numbers: bytes = b"") -> bytes:
    """Return the bytes of a record."""
    text = json.dumps(fields, separators=(",", ":"), allow_nan=True).encode()
    payload = NUMBER.pack(len(text)) + text + numbers
    beginning = BEGINNING.pack(kind.encode(), len(payload))
    parts = (beginning, NUMBER.pack(zlib.crc32(beginning)), payload)
    return b"".join((*parts, NUMBER.pack(zlib.crc32(payload))))


def records(file: IO[bytes], path: Path, size: int) -> Iterator[Stored]:
    """Yield the records of a file; the last one is left out if it ends in the middle.

    Raises:
        CheckpointError: a record is damaged. The message has its number and its first byte.
    """
    file.seek(0)
    if file.read(len(MAGIC)) != MAGIC:
        raise CheckpointError(
            "is no trace, or its beginning is damaged",
            where=str(path),
            hint="Give a file that Trace, trace_keras or trace_mindspore has written.",
        )
    place, number = len(MAGIC), 1
    while place + HEAD <= size:
        where = f"{path}: record {number}, at byte {place}"
        file.seek(place)
        found = _record(file, place, size, where)
        if found is None:
            return
        yield found
        place, number = place + found.size, number + 1


def _record(file: IO[bytes], place: int, size: int, where: str) -> Stored | None:
    head = file.read(HEAD)
    if len(head) < HEAD:
        return None
    raw, length = BEGINNING.unpack_from(head)
    if NUMBER.unpack_from(head, BEGINNING.size)[0] != zlib.crc32(head[: BEGINNING.size]):
        raise _damaged(where, "the checksum of its length is another one")
    kind = raw.decode("ascii", "replace")
    if kind not in KINDS or not NUMBER.size <= length <= LONGEST:
        raise _damaged(where, f"kind {kind!r}, {length} bytes")
    if place + HEAD + length + NUMBER.size > size:
        return None
    payload = file.read(length)
    check = file.read(NUMBER.size)
    if len(payload) < length or len(check) < NUMBER.size:
        return None
    if NUMBER.unpack(check)[0] != zlib.crc32(payload):
        raise _damaged(where, f"the checksum of its {length} bytes is another one")
    text = NUMBER.unpack_from(payload)[0]
    if text > min(TEXT, length - NUMBER.size):
        raise _damaged(where, f"a text of {text} bytes")
    fields = _parsed(payload[NUMBER.size : NUMBER.size + text], where)
    begin = place + HEAD + NUMBER.size + text
    left = length - NUMBER.size - text
    return Stored(kind, place, HEAD + length + NUMBER.size, fields, begin, left)


def _parsed(text: bytes, where: str) -> dict[str, Any]:
    try:
        found = json.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise _damaged(where, f"no JSON: {error}") from None
    if not isinstance(found, dict):
        raise _damaged(where, "its text is no object")
    return found


def _damaged(where: str, got: str) -> CheckpointError:
    return CheckpointError(
        "the file is damaged", where=where, got=got, hint="Copy it again from its origin."
    )

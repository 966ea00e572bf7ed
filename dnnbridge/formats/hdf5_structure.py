"""`unusual_structure`: what the bytes of an HDF5 file have that the library should not get.

The HDF5 library crashes, hangs, or takes gigabytes on made files of its newer form, which h5py and
Keras do not write unless they are asked to. In the older form, a list of texts can send it round in
circles. So both are looked at before the library opens the file.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from itertools import islice
from typing import IO

SIGNATURE = b"\x89HDF\r\n\x1a\n"

COLLECTION = b"GCOL\x01"
"""How a collection of texts begins: its name, and the only version."""

SUPERBLOCK = struct.Struct("<8sB4xBB")
"""The signature, its version, and the bytes of an address and of a length."""

HEADER = struct.Struct("<8xQ")
"""Of a collection: its size."""

OBJECT = struct.Struct("<HHIQ")
"""Of a text: its number, how often it is used, 4 unused bytes, and its size."""

MOST = 64
"""Most collections of a file; Keras makes one or two."""

BLOCK = 2**20


def unusual_structure(stream: IO[bytes]) -> str:
    """Say what a file has that the HDF5 library should not get; "" if nothing.

    Args:
        stream: the file; where it stands is changed.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    head = stream.read(SUPERBLOCK.size)
    if not head.startswith(SIGNATURE):
        return "another beginning than that of HDF5"
    if len(head) < SUPERBLOCK.size:
        return f"{size} bytes"
    _, version, *widths = SUPERBLOCK.unpack(head)
    if version or widths != [8, 8]:
        return f"the form {version} of HDF5, where Keras writes form 0"
    places = list(islice(_found(stream, COLLECTION), MOST + 1))
    if len(places) > MOST:
        return f"more than {MOST} lists of texts"
    for place in places:
        if not _is_whole(stream, place, size):
            return f"a damaged list of texts at byte {place}"
    return ""


def _found(stream: IO[bytes], wanted: bytes) -> Iterator[int]:
    """Yield each place where some bytes are."""
    start, kept = 0, b""
    while True:
        stream.seek(start)
        block = kept + stream.read(BLOCK)
        if len(block) == len(kept):
            return
        at = block.find(wanted)
        while at >= 0:
            yield start - len(kept) + at
            at = block.find(wanted, at + 1)
        start += len(block) - len(kept)
        kept = block[-len(wanted) + 1 :]


def _is_whole(stream: IO[bytes], place: int, size: int) -> bool:
    """Return whether texts follow each other up to the free rest, as the library walks them."""
    stream.seek(place)
    head = stream.read(HEADER.size)
    length = HEADER.unpack(head)[0] if len(head) == HEADER.size else size
    if place + length > size:
        return False
    content, at = head + stream.read(length - len(head)), HEADER.size
    while at + OBJECT.size <= length:
        number, _, _, bytes_of_text = OBJECT.unpack_from(content, at)
        if not number:
            return bool(bytes_of_text == length - at)
        at += OBJECT.size + -(-bytes_of_text // 8) * 8
    return at <= length

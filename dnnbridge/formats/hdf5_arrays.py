"""Arrays of HDF5 files: what they have that no framework writes, and their numbers.

The HDF5 library is in C and has known weaknesses that a made file reaches: in filters, in chunks,
in conversions of types and in fill values. It then crashes, or returns memory of the process as
numbers. Frameworks write each array in one piece, so an array is read only if it is one.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.formats.numbers import as_float32
from dnnbridge.formats.sizes import count_of


def unusual_storage(item: Any) -> str:
    """Say what an array has that no framework writes; "" if it is stored as usual.

    Args:
        item: a dataset of h5py. Its values and fill values are not read.
    """
    from h5py import h5d

    created, kind = item.id.get_create_plist(), item.id.get_type()
    if created.get_layout() not in (h5d.CONTIGUOUS, h5d.COMPACT):
        return "chunks, as a compressed array has"
    if created.fill_value_defined() == h5d.FILL_VALUE_USER_DEFINED:
        return "a fill value"
    if not _is_plain(kind):
        return "a type that is neither a plain number nor text"
    wanted, stored = count_of(item.shape or ()) * kind.get_size(), item.id.get_storage_size()
    if stored != wanted:
        return f"{stored:,} bytes, where its shape needs {wanted:,}"
    return ""


def array_of(item: Any) -> Array:
    """Return the array of a dataset; bfloat16, which HDF5 lacks, becomes float32."""
    array = np.asarray(item)
    if array.dtype.kind == "V":
        return as_float32(array.tobytes(), "bfloat16", array.shape)
    return array


def _is_plain(kind: Any) -> bool:
    """Return whether a type is an integer or a float of a processor, a truth, or text of a size."""
    from h5py import h5t

    if isinstance(kind, h5t.TypeOpaqueID):  # Keras' form of bfloat16
        return bool(kind.get_size() == 2)
    if isinstance(kind, h5t.TypeEnumID):  # h5py's form of truth values
        return kind.get_nmembers() == 2 and bool(kind.get_super() == h5t.STD_I8LE)
    if isinstance(kind, h5t.TypeStringID):
        return not kind.is_variable_str()
    return any(kind == each for each in _numbers())


@cache
def _numbers() -> tuple[Any, ...]:
    """Return the types of the numbers of a processor, in both orders of bytes."""
    from h5py import h5t

    names = [f"STD_{sign}{bits}" for sign in "IU" for bits in (8, 16, 32, 64)]
    names += [f"IEEE_F{bits}" for bits in (16, 32, 64)]
    return tuple(getattr(h5t, f"{name}{order}") for name in names for order in ("LE", "BE"))

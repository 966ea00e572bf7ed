"""`unusual_storage`: what an array of an HDF5 file has that no framework writes.

The HDF5 library is in C and has known weaknesses that a made file reaches: in filters, in
conversions of types, in chunks and in fill values. So an array is read only if it has none of what
leads there.
"""

from __future__ import annotations

from typing import Any

FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}
"""The filters that are known to be safe, by their numbers."""


def unusual_storage(item: Any) -> str:
    """Say what an array has that no framework writes; "" if it is stored as usual.

    Args:
        item: a dataset of h5py. Its values and fill values are not read.
    """
    import h5py

    created = item.id.get_create_plist()
    for number in range(created.get_nfilters()):
        code = created.get_filter(number)[0]
        if code not in FILTERS:
            return f"a filter of the number {code}"
    if not _is_plain(item.id.get_type()):
        return "a type that is neither a plain number nor text"
    if created.get_layout() == h5py.h5d.CHUNKED and len(created.get_chunk()) != item.id.rank:
        return "chunks of another rank"
    if created.fill_value_defined() == h5py.h5d.FILL_VALUE_USER_DEFINED:
        return "a fill value"
    return ""


def _is_plain(kind: Any) -> bool:
    """Return whether a type is an integer or a float of a processor, a truth value, or text."""
    from h5py import h5t

    if isinstance(kind, h5t.TypeEnumID):  # h5py's form of truth values
        return kind.get_nmembers() == 2 and bool(kind.get_super() == h5t.STD_I8LE)
    if isinstance(kind, h5t.TypeStringID):
        return True
    plain = [getattr(h5t, f"STD_{s}{n}{o}") for s in "IU" for n in (8, 16, 32, 64) for o in ORDERS]
    plain += [getattr(h5t, f"IEEE_F{n}{o}") for n in (16, 32, 64) for o in ORDERS]
    return any(kind == each for each in plain)


ORDERS = ("LE", "BE")
"""Orders of bytes."""

"""Recognise sources of batches by their class or protocol; nothing is imported for it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, Protocol, TypeAlias

import numpy as np

from dnnbridge.errors import DataError
from dnnbridge.training.checking.array_like import is_array_like, kind_of
from dnnbridge.training.checking.stored import is_sliceable, is_sparse
from dnnbridge.training.sources.shuffled import Shuffled
from dnnbridge.training.sources.source import AbstractSource, Indexed, Once, Stream


class ByNumber(Protocol):
    """Has a length and gives each batch by its number."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Any: ...


Batches: TypeAlias = Iterable[Any] | ByNumber | Shuffled
"""What can be a source of batches, as far as a type says it."""


def is_source(given: Any, lists: bool = False) -> bool:
    """Return whether this gives batches; it is not an array, nor several.

    Args:
        given: the argument of a call.
        lists: whether a list can only be one of batches, as no labels are given beside it.

    Example:
        >>> is_source(iter([])), is_source([1.0]), is_source([1.0], lists=True)
        (True, False, True)
    """
    if isinstance(given, Shuffled):
        return True
    if given is None or isinstance(given, str | bytes | Mapping | Set):
        return False
    if isinstance(given, Sequence):
        return lists
    if is_array_like(given) or is_sparse(given) or is_sliceable(given):
        return False
    indexed = hasattr(given, "__getitem__") and hasattr(given, "__len__")
    return isinstance(given, Iterable) or indexed or _is(given, "keras", "utils.PyDataset")


def source_of(given: Any, seed: int | None = None) -> AbstractSource:
    """Return how to read a source of batches.

    Args:
        given: for which `is_source` is true.
        seed: seed of the order of batches of what has a length and gives each by its number; None
            reads them in order.

    Example:
        >>> source = source_of([1, 2, 3])
        >>> source.steps, list(source.batches(0, start=1))
        (3, [2, 3])
    """
    name = kind_of(given)
    if _is(given, "tensorflow", "data.Dataset"):
        count = int(given.cardinality())
        steps = count if count >= 0 else None
        return Stream(lambda: iter(given.as_numpy_iterator()), name, steps, endless=count == -1)
    if _is(given, "mindspore.dataset", "Dataset"):
        # Its length is not asked for: a generator would be read once more.
        endless = given.get_repeat_count() < 0
        return Stream(lambda: _rows_of_mindspore(given), name, endless=endless)
    if _is(given, "keras", "utils.PyDataset"):
        count = given.num_batches
        endless = count is None
        return Indexed(given, name, None if endless else int(count), seed, endless=endless)
    if isinstance(given, Iterator):
        return Once(given, name)
    if hasattr(given, "__getitem__") and (steps := _length(given)) is not None:
        return Indexed(given, name, steps, seed)
    return Stream(lambda: iter(given), name, _length(given))


def _rows_of_mindspore(dataset: Any) -> Iterator[dict[str, Any]]:
    """Return the batches of a data set of MindSpore, as dictionaries in the order of columns."""
    order = dataset.get_col_names()
    for row in dataset.create_dict_iterator(num_epochs=1, output_numpy=True):
        yield Columns((name, row[name]) for name in order)


class Columns(dict[str, Any]):
    """A batch of named columns, whose order says what they are."""


def _is(given: Any, module: str, name: str) -> bool:
    """Return whether this is an object of a class, whose module is imported if it is."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return isinstance(found, type) and isinstance(given, found)


def _length(given: Any) -> int | None:
    try:
        count = len(given)
    except (TypeError, NotImplementedError):  # as loaders of streams say it
        return None
    if not isinstance(count, int | np.integer) or count < 0:
        raise DataError("has no valid length", where=kind_of(given), got=repr(count))
    return int(count)
